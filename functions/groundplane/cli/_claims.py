"""Claims as people name them on a command line: ``xdb/orders``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, TypeVar

import click

from groundplane import contracts
from groundplane.core.manifest import GROUP, VERSION, Kind, Manifest, at
from groundplane.local.host.client import Client
from groundplane.local.plane.home import Home

F = TypeVar("F", bound=Any)
CONDITIONS: Final = ("Accepted", "Serving", "Settled", "BackupCurrent", "RecoveryProven")


def kinds() -> dict[str, Kind]:
    """Return the kind of every contract, by every word that kubectl takes for it."""
    found: dict[str, Kind] = {}
    for contract in map(contracts.load, contracts.names()):
        kind = Kind(f"{GROUP}/{VERSION}", contract.kind, contract.plural)
        words = (contract.kind.lower(), contract.plural, f"{contract.plural}.{GROUP}", contract.short_name)
        found |= dict.fromkeys(words, kind)
    return found


def parsed(word: str) -> tuple[Kind, str]:
    """Return kind and name of ``xdb/orders``.

    Raises:
        click.BadParameter: it is none of ours.
    """
    short, _, name = word.partition("/")
    known = kinds()
    if short.lower() not in known or not name:
        example = next(iter(sorted(known, key=len)))
        raise click.BadParameter(f"{word} is no claim; write for example {example}/orders")
    return known[short.lower()], name


def found(client: Client, kind: Kind, namespace: str, name: str) -> Manifest:
    """Return a claim.

    Raises:
        click.ClickException: there is none.
    """
    claim = client.find(kind, namespace, name)
    if claim is None:
        raise click.ClickException(f"there is no {kind.kind} {name} in namespace {namespace}")
    return claim


def binding(client: Client, kind: Kind, namespace: str, name: str) -> dict[str, str]:
    """Return what the binding of a claim says.

    Raises:
        click.ClickException: there is no claim, or it is not served yet; the message says why.
    """
    claim = found(client, kind, namespace, name)
    secret = at(claim, "status", "binding", "name")
    entries = client.secret(namespace, str(secret)) if secret else None
    if entries is None:
        raise click.ClickException(f"{kind.kind} {namespace}/{name} has no binding yet: {told(claim)}")
    return {key: value.decode() for key, value in sorted(entries.items())}


def condition(claim: Manifest, kind: str) -> Manifest:
    """Return a condition; one without a status when it is not there."""
    listed = at(claim, "status", "conditions") or []
    return next((one for one in listed if one["type"] == kind), {"type": kind, "status": "Unknown", "reason": ""})


def told(claim: Manifest) -> str:
    """Return in a few words how *claim* is."""
    accepted, serving = condition(claim, "Accepted"), condition(claim, "Serving")
    if accepted["status"] == "False":
        return f"refused, {accepted['reason']}: {accepted.get('message', '')}"
    if serving["status"] == "True":
        settled = condition(claim, "Settled")
        return (
            "serving" if settled["status"] == "True" else f"serving, {settled['reason']}: {settled.get('message', '')}"
        )
    synced = condition(claim, "Synced")
    if synced["status"] == "False":
        return f"{synced['reason']}: {synced.get('message', '')}"
    return f"{serving['reason'] or 'not seen yet'}: {serving.get('message', '')}".rstrip(": ")


def options(command: F) -> F:
    """Give *command* a claim, its namespace, and the cluster it is in."""
    text = "The cluster of the claim. Default: the plane on this machine."
    command = click.option("--kubeconfig", type=click.Path(path_type=Path), help=text)(command)
    command = click.option("-n", "--namespace", default="default", show_default=True, help="Of the claim.")(command)
    decorated: F = click.argument("claim")(command)
    return decorated


def client(home: Home, kubeconfig: Path | None) -> Client:
    """Return who asks the cluster of *kubeconfig*, or the plane in *home*.

    Raises:
        click.ClickException: there is none.
    """
    if kubeconfig is None:
        home.need()
    return Client.of(kubeconfig or home.kubeconfig)
