"""What every fault needs: a folder with a short name, because the path of a socket has 107 letters at most."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def short() -> Iterator[Path]:
    """Return an empty folder that only we can enter."""
    folder = Path(tempfile.mkdtemp(prefix="gp-"))
    yield folder
    shutil.rmtree(folder)
