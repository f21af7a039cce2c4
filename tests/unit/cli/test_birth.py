"""What the birth of a claim costs on a plane of one machine, and that the claim is all ears after it."""

import json
import tempfile
from pathlib import Path

from bareplane.waiting import eventually
from faults.machine import NAMESPACE, Machine, machine

WRITES = 70  # of objects and events; 64 were counted
CHANGES = 4
SECONDS = 10  # Crossplane's breaker keeps who was woken too often waiting for thirty


def written(here: Machine) -> int:
    """Return how often the plane wrote an object so far."""
    return int(json.loads(here.kubectl("get", "--raw", "/api/v1/namespaces?limit=1"))["metadata"]["resourceVersion"])


def change(here: Machine, password: str) -> None:
    patch = json.dumps({"stringData": {"password": password}})
    here.kubectl("patch", "secret", "orders-db-1-login-a", "-n", NAMESPACE, "--type=merge", "-p", patch)
    eventually(lambda: here.binding()["password"] == password, SECONDS)


def test_a_birth_is_few_writes_and_the_claim_hears_at_once_what_is_changed_after_it() -> None:
    with tempfile.TemporaryDirectory(prefix="gp-") as folder, machine(Path(folder)) as here:
        before = written(here)
        here.apply("orders")
        here.serves("orders")
        here.backed_up("orders")
        births = written(here) - before
        for number in range(CHANGES):
            change(here, f"changed-{number}")
        conditions = {one["type"]: one["reason"] for one in here.claim()["status"]["conditions"]}
    assert births < WRITES
    assert conditions["Responsive"] == "WatchCircuitClosed"
