"""Places told by the inputs themselves."""
