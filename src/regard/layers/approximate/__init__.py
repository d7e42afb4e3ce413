"""Attention that is approximated, for inputs too long to compare all pairs."""
