"""Defects seen in Keras and in other packages, as tests that ours does not have them."""
