"""What `groundplane status` shows, as plain data: the plane, its claims, and what runs for them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from typing import Any

import psutil

from groundplane import __version__, contracts
from groundplane.apis.processes import PROCESS, TASK
from groundplane.cli import _claims
from groundplane.core.manifest import CLAIM_LABEL, GROUP, VERSION, Kind, Manifest, at
from groundplane.local.host.client import Client
from groundplane.local.plane.home import Home

Seen = dict[str, Any]


def see(home: Home) -> Seen:
    """Return how the plane in *home* is.

    Raises:
        NotRunningError: none runs.
        UnreachableError: it does not answer.
    """
    process = home.need()
    client = Client.of(home.kubeconfig)
    programs = _by_owner(client, PROCESS), _by_owner(client, TASK)
    listed = [_claim(one, *programs) for kind in _kinds() for one in client.all(kind)]
    return {
        "plane": {
            "pid": process.pid,
            "version": __version__,
            "address": client.kubeconfig.server,
            "seconds": int(time.time() - process.create_time()),
            "memory": _memory(process.pid, children=False),
            "folder": str(home.folder),
        },
        "claims": sorted(listed, key=lambda one: (one["namespace"], one["kind"], one["name"])),
    }


def _kinds() -> Iterable[Kind]:
    for contract in map(contracts.load, contracts.names()):
        yield Kind(f"{GROUP}/{VERSION}", contract.kind, contract.plural)


def _by_owner(client: Client, kind: Kind) -> dict[str, list[Manifest]]:
    """Return the objects of *kind* that belong to claims, by the uid of the claim."""
    found: dict[str, list[Manifest]] = {}
    for one in client.all(kind):
        if CLAIM_LABEL in (one["metadata"].get("labels") or {}):
            for owner in one["metadata"].get("ownerReferences") or []:
                found.setdefault(owner["uid"], []).append(one)
    return found


def _claim(claim: Manifest, processes: dict[str, list[Manifest]], tasks: dict[str, list[Manifest]]) -> Seen:
    metadata, status = claim["metadata"], claim.get("status") or {}
    conditions = {kind: _claims.condition(claim, kind)["status"] for kind in _claims.CONDITIONS}
    endpoints = status.get("endpoints") or []
    return {
        "namespace": metadata["namespace"],
        "kind": claim["kind"],
        "name": metadata["name"],
        "engine": status.get("engine", ""),
        "told": _claims.told(claim),
        "conditions": conditions,
        "binding": at(status, "binding", "name") or "",
        "endpoints": [f"{one.get('host')}:{one.get('port')}" for one in endpoints],
        "lastBackup": at(status, "backup", "lastSuccessTime") or "",
        "programs": [
            *map(_process, processes.get(metadata["uid"], [])),
            *map(_task, tasks.get(metadata["uid"], [])),
        ],
    }


def _process(one: Manifest) -> Seen:
    pid = at(one, "status", "pid")
    state = _state(one, "Ready")
    memory = _memory(pid, children=True) if pid else 0
    return {"kind": "Process", "name": one["metadata"]["name"], "state": state, "pid": pid, "memory": memory}


def _task(one: Manifest) -> Seen:
    last = at(one, "status", "lastSuccessTime") or ""
    return {"kind": "Task", "name": one["metadata"]["name"], "state": _state(one, "Succeeded"), "last": last}


def _state(one: Manifest, kind: str) -> str:
    listed = at(one, "status", "conditions") or []
    found = next((each for each in listed if each["type"] == kind), None)
    if found is None:
        return "not begun"
    message = found.get("message", "")
    return f"{found['reason']}: {message}" if found["status"] != "True" and message else str(found["reason"])


def _memory(pid: int, *, children: bool) -> int:
    """Return the bytes that a process, or it and all its children, have to themselves; shared pages count by parts."""
    total = 0
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for one in [process, *(process.children(recursive=True) if children else ())]:
            with contextlib.suppress(psutil.Error):
                full = one.memory_full_info()
                total += int(getattr(full, "pss", full.uss))
    return total
