"""Peers that take more than a few lines to build."""
