"""Ctrl-C asks training to stop after the batch at hand; twice stops at once."""

import os
import signal
import threading
from types import FrameType
from typing import Any

_STOPPING = "\nstopping after this batch, then saving; Ctrl-C again stops at once\n"


class Interruption:
    """While open, the first Ctrl-C only sets `asked`.

    A batch is never cut in two: on some backends the weights are being replaced
    while it runs.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: Any = None

    def __enter__(self) -> "Interruption":
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *error: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        # Not print: the signal may have come while somebody was printing.
        os.write(2, _STOPPING.encode())
