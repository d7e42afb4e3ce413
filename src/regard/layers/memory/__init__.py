"""Layers that read, and write, a memory of slots."""
