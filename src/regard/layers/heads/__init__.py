"""Attention in several heads that share, mix, gate or remember."""
