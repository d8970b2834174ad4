"""Which capital holds a group back, and what a budget would buy."""
