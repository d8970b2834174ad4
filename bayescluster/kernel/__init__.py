"""The fast way to evaluate a model: a program for a machine that is compiled once."""
