"""A reader moves capitals, corners and cut-offs on the page itself, from thinned draws of the surface."""
