"""A codebook of a table before any fit: what its columns hold, and what looks wrong."""
