"""What the user asks for: frozen values, no input or output except in ``load``."""
