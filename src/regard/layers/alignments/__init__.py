"""Attention that remembers where it looked before."""
