"""Simulation-based calibration of an analysis: its plan, refits, and what they come to."""
