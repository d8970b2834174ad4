"""Refits under alternatives, and which choice flips which verdict."""
