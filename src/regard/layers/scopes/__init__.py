"""Scopes that need projections of their own."""
