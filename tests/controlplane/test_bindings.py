"""The binding Secret: complete at every instant, never somebody else's, never taken from anybody."""

import base64
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest

from bareplane.waiting import eventually
from controlplane.cluster import Cluster, Team, condition, orders, refused

TRIES = 50
RACERS = 4
BINDING = "orders-db-binding"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nbmV3\n-----END CERTIFICATE-----\n"


def patch_data(name: str, value: str) -> str:
    return f'{{"data":{{"{name}":"{encoded(value)}"}}}}'


def encoded(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


def test_a_rotated_certificate_reaches_the_binding_in_five_seconds_complete_at_every_instant(team: Team) -> None:
    team.apply(orders())
    team.ready()
    keys, seen, done = team.binding()["data"].keys(), [], threading.Event()

    def watch() -> None:
        while not done.is_set():
            seen.append(team.binding()["data"])

    watching = threading.Thread(target=watch)
    watching.start()
    eventually(lambda: seen)
    team.run("patch", "secret", "orders-db-1-ca", "--type=merge", "-p", patch_data("ca.crt", CERTIFICATE))
    start = time.monotonic()
    try:
        eventually(lambda: seen[-1]["certificates"] == encoded(CERTIFICATE), 30)
    finally:
        took = time.monotonic() - start
        done.set()
        watching.join()
    assert took < 5
    assert all(one.keys() == keys and all(one.values()) for one in seen)


def test_a_secret_of_the_bindings_name_that_was_there_before_is_never_touched(team: Team) -> None:
    team.run("create", "secret", "generic", BINDING, "--from-literal=password=of-a-user")
    before = team.get("secret", BINDING)
    team.apply(orders())
    claim = team.wait(lambda it: refused(it, "NameTaken"))
    assert BINDING in condition(claim, "Accepted")["message"]
    assert team.get("secret", BINDING) == before
    team.run("delete", "secret", BINDING)
    team.ready()


@pytest.mark.alone  # fifty claims
def test_a_secret_created_in_a_race_with_the_claim_is_never_adopted(cluster: Cluster) -> None:
    team = cluster.team("kubernetes")
    with ThreadPoolExecutor(RACERS) as racers:
        [*racers.map(lambda first: _race(team, range(first, TRIES, RACERS)), range(RACERS))]
    time.sleep(5)  # Crossplane tries again meanwhile
    found = {one["metadata"]["name"]: one for one in team.get("secrets")}
    bindings = [found[f"race-{number}-db-binding"] for number in range(TRIES)]
    users = [one for one in bindings if one["data"].get("marker") == encoded("of-a-user")]
    print(f"the user was first in {len(users)} of {TRIES} tries")  # noqa: T201  # How sharp the race was.
    assert 0 < len(users) < TRIES
    for one in users:
        assert one["data"]["password"] == encoded("of-a-user")
        assert "groundplane.dev/claim" not in one["metadata"].get("labels", {})
        assert "ownerReferences" not in one["metadata"]


def _race(team: Team, numbers: Iterable[int]) -> None:
    """Create each Secret about when Crossplane does: later than the last one that was first, sooner than one too late.

    The binding waits for the certificate, and for how long after it differs from plane to plane and with the load.
    """
    delay = 0.5
    for number in numbers:
        delay = delay * 1.5 if _first(team, f"race-{number}", delay) else delay / 1.5


def _first(team: Team, name: str, delay: float) -> bool:
    """Tell whether the user made the binding's Secret of a new claim, *delay* seconds after its certificate, first."""
    team.apply({**orders(tier="Development"), "metadata": {"name": name}})
    eventually(lambda: team.kubectl.ask("-n", team.namespace, "get", "secret", f"{name}-db-1-ca"), 120)
    time.sleep(delay)
    words = ("--from-literal=marker=of-a-user", "--from-literal=password=of-a-user")
    return bool(team.kubectl.ask("-n", team.namespace, "create", "secret", "generic", f"{name}-db-binding", *words))
