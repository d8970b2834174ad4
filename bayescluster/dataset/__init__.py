"""The rows of firms: read, prepared, and scored into the two capitals."""
