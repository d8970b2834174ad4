"""What an analysis says before its data."""
