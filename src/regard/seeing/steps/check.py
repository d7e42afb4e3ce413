"""What was recomputed beside what the layer recorded, and how it reads."""

from dataclasses import dataclass

from regard.cards.typography import numeral
from regard.seeing.steps.phrases import phrases


@dataclass(frozen=True)
class Check:
    """What was recomputed beside what was recorded.

    ``difference`` is the largest of any entry, ``tolerance`` what the dtype allows.
    ``dropping``: in training the layer drops weights, which are recorded before that.
    ``nothing``: why there is nothing to compare, of what is hidden; such a check
    neither passed nor failed.
    """

    what: str
    difference: float
    tolerance: float
    dropping: bool = False
    nothing: str = ""

    @property
    def passed(self) -> bool:
        """Whether they were compared and agree; NaN never does."""
        return not self.nothing and bool(self.difference <= self.tolerance)

    @property
    def failed(self) -> bool:
        """Whether they were compared and do not agree."""
        return not self.nothing and not self.passed

    def text(self, language: str) -> str:
        """In words."""
        words = phrases(language)
        if self.nothing:
            return f"{words['nothing']}: {words[self.nothing]}"
        said = words["passed" if self.passed else "failed"]
        if not self.tolerance:  # something that holds or does not
            return said
        why = f"; {words['dropping']}" if self.dropping and self.failed else ""
        difference, allowed = (
            numeral(each, language)
            for each in (
                f"{self.difference:.1e}" if self.difference else "0",
                f"{self.tolerance:.0e}",
            )
        )
        return (
            f"{said}: {words['difference']} {difference}, "
            f"{words['allowed']} {allowed}{why}"
        )
