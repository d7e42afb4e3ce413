"""Defects seen in Keras and in other packages: tests that ours has none of them."""
