"""How each number came about: ``regard.explain``."""

from regard.seeing.steps.explain import explain
from regard.seeing.steps.step import Check, Step, Steps

__all__ = ["Check", "Step", "Steps", "explain"]
