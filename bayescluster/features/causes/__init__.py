"""Probabilities of causation, and how much confounding would change them."""
