"""Verdicts over every cut-off."""
