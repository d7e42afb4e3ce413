"""The mechanisms once more: float64 NumPy with loops, written from the papers.

Nothing here imports the library. A reference takes the weights by name, the
arrays of a call and `visible` (B, T, S), True where the query may look at the
key; it returns the context (B, T, D) and the weights (B, T, S) or (B, H, T, S).
"""
