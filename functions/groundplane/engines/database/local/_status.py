"""What the objects of one slot say: ready or not, serving or not, backed up or not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from groundplane.core.condition import Status, Verdict
from groundplane.core.manifest import at
from groundplane.core.rendered import Backups, Endpoint, Facts
from groundplane.engines.database.local._names import HOST, PORT, Place

if TYPE_CHECKING:
    from groundplane.core.observation import Observation, Observed

# Reasons of a Process or a Task that does not get there by itself.
FAILED: Final = frozenset({"BackOff", "ProgramNotFound", "FilesNotReady", "Failed", "TimedOut"})
# What a server says to whoever comes when others have all the connections that it gives.
_BUSY: Final = re.compile(r"too many clients already|remaining connection slots are reserved")
_LOGIN: Final = re.compile(r"authentication failed|not permitted to log in|no password supplied|^Secret ")
_FILE: Final = re.compile(r' "base/[^"]*"')  # its name is another each time
_ARCHIVING: Final = {"working": True, "failing": False}


@dataclass(frozen=True, slots=True)
class Readiness:
    """Which objects of a slot do what they are for."""

    seen: Observation
    place: Place

    def found(self, role: str) -> Observed | None:
        """Return the object that plays *role*."""
        return self.seen.existing(self.place.slot.resource(role))

    def answers(self) -> bool:
        """Whether the server answers its probe."""
        found = self.found("server")
        return found is not None and found.condition("Ready").holds

    def current(self, role: str) -> bool:
        """Whether what *role* says is about what is asked of it now."""
        found = self.found(role)
        asked = found.at("metadata", "generation") if found else None
        return found is not None and asked in {None, found.at("status", "observedGeneration")}

    def done(self, role: str) -> bool:
        """Whether the Task has succeeded with what is asked of it now."""
        found = self.found(role)
        return found is not None and found.condition("Succeeded").holds and self.current(role)

    def proof(self) -> Verdict:
        """Return what came of logging in as the application does, and writing."""
        found = self.found("server")
        return found.condition("Serving") if found else Verdict.unknown("NotObserved")

    def login(self) -> bool:
        """Whether the application can log in and write: it was tried. Who has all connections there are got in."""
        return self.answers() and (self.proof().holds or bool(_BUSY.search(self.proof().message)))

    def declared(self) -> bool:
        """Whether the server runs, and is set up, as is asked now."""
        return self.answers() and self.current("server") and self.done("setup")

    def port(self) -> int | None:
        """Return the port that the server listens on; None while none was chosen."""
        found = self.found("server")
        ports = found.at("status", "ports") if found else None
        listed = ports if isinstance(ports, list) else []
        numbers = [at(one, "number") for one in listed if at(one, "name") == PORT]
        return numbers[0] if numbers and isinstance(numbers[0], int) else None

    def authority(self) -> str | None:
        """Return the certificate that clients must trust."""
        found = self.found("server")
        text = found.at("status", "authority") if found else None
        return text if isinstance(text, str) and text else None


def read(place: Place, seen: Observation) -> Facts:
    """Return how the service in *place* is."""
    ready = Readiness(seen, place)
    backups = _backups(place, ready)
    if ready.found("server") is None:
        return Facts(backups=backups)
    port = ready.port()
    return Facts(
        version=_result(ready, "report", "version") or _result(ready, "setup", "version"),
        endpoint=Endpoint("primary", HOST, port) if port else None,
        serving=_serving(ready),
        settled=_settled(ready),
        backups=backups,
    )


def _serving(ready: Readiness) -> Verdict:
    if ready.login():
        return Verdict.yes("Serving")
    if ready.answers():
        return _trouble(ready, "setup") or _denied(ready.proof())
    began = ready.done("init") and ready.found("setup") is not None and bool(_result(ready, "setup", "version"))
    return _trouble(ready, "init") or _trouble(ready, "server") or _waiting(ready, began=began)


def _denied(proof: Verdict) -> Verdict:
    """Return why the application cannot log in or write, though the server answers: in the server's own words."""
    if proof.status is Status.UNKNOWN:
        return Verdict.no("AwaitingCredentials", "the application's login is not in the server yet")
    if "No space left" in proof.message:
        return Verdict.no("Unreachable", "a write fails: the disk is full. Make room on it")
    said = _FILE.sub("", proof.message)
    if _LOGIN.search(said):
        return Verdict.no("AwaitingCredentials", f"the application's login fails: {said}")
    return Verdict.no("Unreachable", f"a write with the application's login fails: {said}")


def _waiting(ready: Readiness, *, began: bool) -> Verdict:
    first, server = ready.found("init"), ready.found("server")
    said = first.condition("Succeeded").message if first else ""
    said = said or (server.condition("Ready").message if server else "")
    return Verdict.no("Unreachable" if began else "Provisioning", said or "the provider has not begun")


def _trouble(ready: Readiness, role: str) -> Verdict | None:
    """Return what keeps *role* from getting there, if something does."""
    found = ready.found(role)
    if found is None:
        return None
    said = found.condition("Ready" if role == "server" else "Succeeded")
    if said.status is Status.FALSE and said.reason in FAILED:
        return Verdict.no("EngineFailed", f"{found.name}: {said.message or said.reason}")
    return None


def _settled(ready: Readiness) -> Verdict:
    if ready.declared():
        return Verdict.yes("AsDeclared")
    trouble = _trouble(ready, "setup") or _serving(ready)
    return Verdict.no("Provisioning", trouble.message or "the server is not set up yet")


def _backups(place: Place, ready: Readiness) -> Backups:
    if not place.ask.effective.backups:
        return Backups()
    found = ready.found("backup")
    said = found.condition("Succeeded") if found else None
    failed = said is not None and said.status is Status.FALSE and said.reason in FAILED
    return Backups(
        id=place.archive_name,
        last_success=_result(ready, "backup", "lastSuccessTime"),
        last_failure=_text(found, "lastFailureTime"),
        first_recoverable=_result(ready, "backup", "firstRecoverableTime"),
        archiving=_ARCHIVING.get(_result(ready, "report", "archiving") or ""),
        failure=said.message if said and failed else "",
    )


def _result(ready: Readiness, role: str, key: str) -> str | None:
    found = ready.found(role)
    value = found.at("status", "result", key) if found else None
    return value if isinstance(value, str) and value else None


def _text(found: Observed | None, key: str) -> str | None:
    value = found.at("status", key) if found else None
    return value if isinstance(value, str) and value else None
