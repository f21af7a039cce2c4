"""Waiting for a cluster, which does everything a little later."""

import os
import time
from collections.abc import Callable

PATIENCE_SECONDS = float(os.environ.get("GROUNDPLANE_PATIENCE", "120"))  # a busy machine is slow, and still right


class NotYetError(AssertionError):
    """What was waited for did not come."""


def eventually(holds: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
    """Return once *holds* does.

    Raises:
        NotYetError: it did not within *seconds*.
    """
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise NotYetError(f"not within {seconds:.0f} s")
        time.sleep(0.3)


def always(holds: Callable[[], object], seconds: float) -> None:
    """Return when *holds* held for *seconds*, whenever it was asked.

    Raises:
        AssertionError: it did not.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not holds():
            raise AssertionError("it no longer holds")
        time.sleep(0.5)
