"""Attention over the channels and places of images, and over grids."""
