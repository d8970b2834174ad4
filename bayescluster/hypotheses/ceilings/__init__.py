"""Ceilings: necessary condition analysis of observed firms."""
