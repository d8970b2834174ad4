"""Studies of a model: many fits or draws, a folder each."""
