"""What is reported: averages of the outcome surface, computed draw by draw."""
