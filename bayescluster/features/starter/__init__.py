"""An analysis proposed from the columns of a table."""
