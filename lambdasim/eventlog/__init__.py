"""What happened in a run, as columns. Engines fill it; everything that a user sees is derived from it."""
