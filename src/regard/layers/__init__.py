"""Weights around the mathematics, one mechanism a file."""
