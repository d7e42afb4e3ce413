"""Property tests of the pure functions."""
