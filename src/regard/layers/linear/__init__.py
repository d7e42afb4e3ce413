"""Attention as a recurrence: a state of fixed size instead of a memory of keys."""
