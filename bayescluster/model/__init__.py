"""A design as a PyMC model."""
