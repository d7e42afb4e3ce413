"""A sequence or a set becomes one vector, or a few."""
