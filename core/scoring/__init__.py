"""Scoring: matching what was found with what is true, and the numbers that follow from it."""
