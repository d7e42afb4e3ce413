"""Attention that looks at less than all pairs, as pure functions."""
