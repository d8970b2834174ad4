"""How far posterior and verdicts depend on the priors: power-scaling."""
