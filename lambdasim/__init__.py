"""lambdasim."""
