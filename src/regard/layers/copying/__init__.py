"""Pointing at the memory, and copying from it."""
