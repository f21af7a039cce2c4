"""A copy of a living claim, on every engine that copies files as they are."""

import pytest

import catalogue
from answering import answer, claim_of
from groundplane.core.manifest import Manifest
from groundplane.core.refusal import Reason


def source(engine: str, size: str) -> Manifest:
    """Return a claim that *engine* serves with *size* of storage."""
    spec = {"version": "17", "storage": {"size": size}, "database": {"name": "app"}}
    status = {"engine": engine, "slot": f"{engine}-1", "version": "17.6", "backup": {"id": "source-87d96e07"}}
    found = claim_of(catalogue.Engine("database", engine), spec, status=status)
    return {**found, "metadata": {**found["metadata"], "name": "source", "uid": "uid-of-source"}}


@pytest.mark.parametrize("engine", ["cnpg", "rds"])
@pytest.mark.parametrize(("size", "fits"), [("20Gi", True), ("19Gi", True), ("21Gi", False), ("1Ti", False)])
def test_a_copy_smaller_than_its_source_is_refused_before_anything_is_made(engine: str, size: str, fits: bool) -> None:  # noqa: FBT001  # A table.
    copied = {"from": "Claim", "claimRef": {"name": "source"}}
    spec = {"version": "17", "tier": "Development", "storage": {"size": "20Gi"}, "restore": copied}
    found = catalogue.Engine("database", engine)
    given = answer(found, claim_of(found, {**spec, "database": {"name": "app"}}), objects=[source(engine, size)])
    if fits:
        assert given.refusal is None
        return
    assert not given.resources
    assert given.refusal is not None
    reason, message = given.refusal
    assert reason == Reason.RESTORE_SOURCE_NOT_FOUND
    assert f"Set storage.size to {size}." in message
