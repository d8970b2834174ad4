"""From a PyMC model to a DataTree of draws."""
