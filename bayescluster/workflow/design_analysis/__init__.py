"""How often verdicts would be right: simulated outcomes, refitted."""
