"""Whether the sign of the product depends on the likelihood."""
