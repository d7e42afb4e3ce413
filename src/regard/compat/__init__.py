"""The classic packages' names, on every backend."""
