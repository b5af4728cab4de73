"""What notebooks get: comparisons, guesses, progress, results that show themselves, sliders and animations."""
