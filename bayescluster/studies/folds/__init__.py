"""Refits without clusters, industries or rows."""
