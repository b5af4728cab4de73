"""What a run costs: usage counted in integers from the event log, then priced in Decimal from a dated table."""
