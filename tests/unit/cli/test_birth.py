"""What the birth of a claim costs on a plane of one machine: a write wakes the claim, and it is woken so often only."""

import json
import tempfile
from pathlib import Path

from faults.machine import Machine, machine

WRITES = 78  # of objects and events; 64 were counted, and 83 when everybody said that it waits


def written(here: Machine) -> int:
    """Return how often the plane wrote an object so far."""
    return int(json.loads(here.kubectl("get", "--raw", "/api/v1/namespaces?limit=1"))["metadata"]["resourceVersion"])


def test_a_birth_is_few_writes() -> None:
    with tempfile.TemporaryDirectory(prefix="gp-") as folder, machine(Path(folder)) as here:
        before = written(here)
        here.apply("orders")
        here.serves("orders")
        here.backed_up("orders")
        assert written(here) - before < WRITES
