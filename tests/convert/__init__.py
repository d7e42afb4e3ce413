"""Weights from other packages, compared with the packages themselves."""
