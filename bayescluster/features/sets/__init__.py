"""Set theory: fuzzy and crisp sets, in a run and on a plain table."""
