"""Probabilities of causation: bounds, degrees, and how much confounding they bear."""
