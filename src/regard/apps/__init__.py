"""Finished applications: data, recipe and model in one folder each."""
