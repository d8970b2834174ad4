"""Interactive learning: capitals that act through other outcomes."""
