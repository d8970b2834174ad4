"""Everything a report shows, as one typed value that is saved as ``results.json``."""
