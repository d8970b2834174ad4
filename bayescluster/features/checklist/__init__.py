"""What guidelines ask of a Bayesian analysis, and what was done."""
