"""Measurements: `python benchmarks/run.py` compares with peers and with the machine."""
