"""Claims put to the posterior: events, probabilities, verdicts."""
