"""Survey files as people bring them, each with its right result."""
