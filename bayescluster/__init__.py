"""Bayesian multilevel models of human capital, social capital and upgrading in clusters."""

__version__ = "0.1.0"
