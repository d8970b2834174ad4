"""Pages of the studies that stand beside runs: one file each, and its words."""
