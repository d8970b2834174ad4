"""The whole way, from an analysis file to a report, as a list of steps."""
