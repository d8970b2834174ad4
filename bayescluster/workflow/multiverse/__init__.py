"""An analysis under alternatives: which choice flips which verdict."""
