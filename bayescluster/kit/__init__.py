"""What a table or a figure is, once, for every page."""
