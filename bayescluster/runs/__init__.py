"""The run directory: the only place that knows its layout, its keys and its locks."""
