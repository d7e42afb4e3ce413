"""Dates as people write them, turned into ISO 8601 by attention over characters."""
