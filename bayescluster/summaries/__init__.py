"""Many firms as a few numbers: what their likelihood comes to, added up over parts of a file."""
