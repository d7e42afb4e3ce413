"""Softmax over products, as each backend computes it best; imported by its name."""
