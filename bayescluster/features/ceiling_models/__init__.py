"""Models of the ceiling of an outcome, by cluster."""
