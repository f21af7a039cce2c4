"""What must hold after whatever happened: every object is the same one, and nobody writes any more."""

import time

from bareplane.waiting import eventually
from controlplane.cluster import Manifest, Team, is_true, orders

QUIET_SECONDS = 12  # two calls of the function


def uids(objects: dict[str, Manifest]) -> dict[str, str]:
    """Return which objects there are: one that was deleted and made again is another."""
    return {name: one["metadata"]["uid"] for name, one in objects.items()}


def settled(team: Team, name: str = "orders") -> dict[str, str]:
    """Apply a claim, wait until it is served, and return which objects there are then."""
    team.apply({**orders(), "metadata": {"name": name}})
    team.ready(name)
    return uids(team.everything())


def ends_quiet(team: Team, before: dict[str, str], name: str = "orders", seconds: float = 60) -> None:
    """Return once the claim is served by its first slot, with the objects of *before*, and nothing moves.

    Raises:
        AssertionError: an object is another one, was lost or added, or somebody goes on writing.
    """
    served = ("Synced", "Ready", "Accepted", "Serving", "Settled")
    team.wait(lambda it: all(is_true(it, kind) for kind in served) and "slot" in it["status"], name, seconds)
    eventually(lambda: uids(team.everything()) == before, 30)
    rests(team)


def rests(team: Team, seconds: float = 60) -> None:
    """Return once no object of the namespace was written for `QUIET_SECONDS`.

    Raises:
        AssertionError: somebody goes on writing; what, with resource version and generation before and after.
    """
    end = time.monotonic() + seconds
    since, before, moved = time.monotonic(), team.versions(), {}
    while time.monotonic() - since < QUIET_SECONDS:
        now = team.versions()
        if now != before:
            names = sorted({*before, *now})
            moved = {name: (before.get(name), now.get(name)) for name in names if before.get(name) != now.get(name)}
            since, before = time.monotonic(), now
        assert time.monotonic() < end, f"somebody goes on writing: {moved}"


def belonging(team: Team) -> list[Manifest]:
    """Return the claim and all that carries its label."""
    found = team.everything().items()
    label = "groundplane.dev/claim"
    return [
        one
        for name, one in found
        if name.startswith("XDatabase.") or one["metadata"].get("labels", {}).get(label) == "db.orders"
    ]


def protected(one: Manifest) -> bool:
    """Tell whether *one* is guarded, and its policy Protect."""
    marked = one["metadata"].get("labels", {}).get("groundplane.dev/guarded") == "true"
    policy = one["metadata"].get("annotations", {}).get("groundplane.dev/deletion-policy")
    return marked and bool(policy == "Protect")


def uids_of(objects: list[Manifest]) -> set[str]:
    """Return which objects these are."""
    return {one["metadata"]["uid"] for one in objects}
