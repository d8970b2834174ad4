"""What was found by leaving out, in the report of a run."""
