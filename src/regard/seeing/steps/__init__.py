"""How each number came about: ``regard.explain``."""

from regard.seeing.steps.check import Check
from regard.seeing.steps.explain import explain
from regard.seeing.steps.step import Step, Steps

__all__ = ["Check", "Step", "Steps", "explain"]
