"""What a run means: outcomes, tables, the summary and CloudWatch's metrics. All derived from the event log."""
