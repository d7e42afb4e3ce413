"""Traces as pages and as text."""
