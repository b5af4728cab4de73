"""What happens: a workload and a platform in, an event log out. No random number, no file, no percentile."""
