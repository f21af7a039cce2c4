"""What commands have in common that go on until Ctrl-C."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator


@contextlib.contextmanager
def until_told() -> Iterator[None]:
    """Leave the block in the middle when Ctrl-C or SIGTERM says so: that is how such a command ends, with 0."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        yield
