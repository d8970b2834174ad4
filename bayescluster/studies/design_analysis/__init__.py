"""How often each verdict would be right."""
