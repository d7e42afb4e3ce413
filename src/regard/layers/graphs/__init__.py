"""Attention of nodes to their neighbours."""
