r"""Attention written as a recurrence, computed in chunks.

A state of fixed size replaces the memory of keys: what was seen is kept as a sum of
outer products, so time and memory are linear in the length. Three forms compute the
same numbers: one position after another, all pairs at once, and chunks, which are
products of matrices inside and a short chain between. Everything is float32 at least.
"""

from regard.core.scans.delta import delta_scan
from regard.core.scans.gated import gated_scan

__all__ = ["delta_scan", "gated_scan"]
