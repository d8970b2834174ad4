"""What an analysis can ask for beyond effects and verdicts: a folder each."""
