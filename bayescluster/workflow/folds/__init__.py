"""What is left out by refitting, or by mending importance weights."""
