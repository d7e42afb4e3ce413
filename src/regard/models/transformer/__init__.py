"""Transformers: blocks, stacks of them, and the translator they make."""
