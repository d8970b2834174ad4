"""Ceilings of a fitted form."""
