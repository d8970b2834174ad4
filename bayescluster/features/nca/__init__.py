"""Necessary condition analysis of a plain table."""
