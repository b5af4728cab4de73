"""What people see of a run: the terminal summary, the files, the pictures. Nothing here computes a new figure."""
