"""Equivalences between mechanisms, and shortcuts that are wrong."""
