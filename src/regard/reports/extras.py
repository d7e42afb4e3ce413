"""What an example may carry besides its maps: answers, explanations, right links."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from regard.reports.sounds import checked_sound
from regard.seeing.alignment import Link
from regard.seeing.gold_alignments import GoldPair

if TYPE_CHECKING:
    from regard.reports.record import AttentionRecord

__all__ = ["Explanation", "Gold", "Removal", "Timeline", "Training"]

#: Links people drew: with the words they drew them between, or just (sure, possible)
#: between the words that the tokens spell, marks such as the end not counted.
Gold = GoldPair | tuple[Collection[Link], Collection[Link]]


@dataclass(frozen=True, eq=False, kw_only=True)
class Removal:
    """What became of the answer while tokens were taken away.

    - ``order``: numbers of the input tokens, the first to go first.
    - ``counts`` (n): how many of them were gone; 0 is the whole input.
    - ``probabilities`` ``(n, classes)``: the answer each time.
    - ``by_product``: whether words go by the weight of their sentence times their own
      inside it, hidden from the model's attention; the page then says so.

    Raises:
        ValueError: counts beyond the order, or not as many as rows of probabilities.
    """

    order: Sequence[int]
    counts: Sequence[int]
    probabilities: np.ndarray
    by_product: bool = False

    def __post_init__(self) -> None:
        table = np.asarray(self.probabilities, np.float64)
        if table.ndim != 2 or len(table) != len(self.counts):
            raise ValueError(
                "probabilities must have shape (counts, classes), "
                f"{len(self.counts)} counts. Got {table.shape}."
            )
        if any(not 0 <= count <= len(self.order) for count in self.counts):
            raise ValueError(
                f"counts must lie between 0 and {len(self.order)}, the length of "
                f"order. Got {list(self.counts)}."
            )
        object.__setattr__(self, "probabilities", table)


@dataclass(frozen=True, eq=False, kw_only=True)
class Explanation:
    """The answer of a classifier, and explanations of it beside attention.

    - ``probabilities``: class -> number.
    - ``compared``: name of a method -> one number for each input token
      ("input_gradient" is named in the reader's language). Each is shown
      as its share of the sum of absolute values, so that all have attention's scale.
    - ``removal``: how the probabilities move when tokens are taken away; its classes
      are those of ``probabilities``, in that order.

    Raises:
        ValueError: a removal of another number of classes.
    """

    probabilities: Mapping[str, float] = field(default_factory=dict)
    compared: Mapping[str, Sequence[float]] = field(default_factory=dict)
    removal: Removal | None = None

    def __post_init__(self) -> None:
        if self.removal is None:
            return
        classes = np.shape(self.removal.probabilities)[1]
        if classes != len(self.probabilities):
            raise ValueError(
                f"removal must have {len(self.probabilities)} classes, those of "
                f"probabilities. Got {classes}."
            )


@dataclass(frozen=True, eq=False, kw_only=True)
class Training:
    """The same maps at several steps of a training, with what changed meanwhile.

    - ``steps`` (n whole numbers): when the maps were taken.
    - ``records`` (n lists): the maps of each step, in the same order.
    - ``lines``: name -> n numbers, NaN where unknown: the loss, a measure of a head. A
      name that ends in ``LAYER/HEAD`` is shown with that layer and head (from 0).

    Raises:
        ValueError: other than one list of records and one number for each step.
    """

    steps: Sequence[int]
    records: Sequence[Sequence[AttentionRecord]]
    lines: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, given in (("records", self.records), *self.lines.items()):
            if len(given) != len(self.steps) or not len(given):
                raise ValueError(
                    f"{name} must have one entry for each of the {len(self.steps)} "
                    f"steps, at least one. Got {len(given)}."
                )


@dataclass(frozen=True, eq=False, kw_only=True)
class Timeline:
    """What the keys of a map were in time: channels of a series, or sound.

    - ``keys``: how many keys lie along it.
    - ``channels``: name -> one number for each key.
    - ``origin``: the key at which a forecast begins.
    - ``log_mel`` ``(bands, frames)``: an image over the same time, low bands first.
    - ``seconds``: from one key to the next; without it, ticks are the key tokens.
    - ``audio`` (samples): the sound itself, one channel, 16-bit whole numbers or from
      -1 to 1, with ``rate`` samples a second; a page holds it only where it was
      written with ``embed_audio=True``. The first key begins with the first sample.

    Raises:
        ValueError: neither channels nor an image, a channel of another length, sound
            of other numbers or without ``seconds``.
    """

    keys: int
    channels: Mapping[str, Sequence[float]] = field(default_factory=dict)
    origin: int | None = None
    log_mel: np.ndarray | None = None
    seconds: float = float("nan")
    audio: np.ndarray | None = None
    rate: float = 16_000

    def __post_init__(self) -> None:
        if self.audio is not None:
            object.__setattr__(self, "audio", checked_sound(self.audio, self.rate))
            if not self.seconds > 0:
                raise ValueError(
                    "seconds must say how far apart keys are, for audio to be found "
                    f"at their places. Got {self.seconds}."
                )
        if self.log_mel is None and not self.channels:
            raise ValueError("channels or log_mel must be given. Got neither.")
        if self.log_mel is not None and np.ndim(self.log_mel) != 2:
            raise ValueError(
                "log_mel must have shape (bands, frames). "
                f"Got {np.shape(self.log_mel)}."
            )
        for name, values in self.channels.items():
            if len(values) != self.keys:
                raise ValueError(
                    f"channels[{name!r}] must have one number for each of the "
                    f"{self.keys} keys. Got {len(values)}."
                )
