"""Checks of a fit: one file each, one result type."""
