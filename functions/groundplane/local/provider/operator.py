"""The controller of Processes and Tasks, until it is told to end."""

from __future__ import annotations

import base64
import logging
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from groundplane.apis.processes import FINALIZER, PROCESS, TASK
from groundplane.core.manifest import SECRET
from groundplane.local.host.certificates import Authority
from groundplane.local.host.executables import Programs
from groundplane.local.host.kubeconfig import Kubeconfig
from groundplane.local.provider.connection import Connection
from groundplane.local.provider.kopf_import import kopf
from groundplane.local.provider.paths import Machine
from groundplane.local.provider.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from groundplane.core.manifest import Kind

AUTHORITY: Final = "Groundplane on this machine"


class _Unkept(kopf.DiffBaseStorage):
    """Keeps no copy of what was seen last in the object: nothing here asks what changed, and each copy is a write."""

    def build(self, *, body: kopf.Body, extra_fields: object = None) -> kopf.BodyEssence:
        """Return nothing: every state of an object is the same."""
        del body, extra_fields
        return kopf.BodyEssence()

    def fetch(self, *, body: kopf.Body) -> kopf.BodyEssence:
        """Return nothing, as `build` does."""
        return self.build(body=body)

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: kopf.BodyEssence) -> None:
        """Do nothing."""


def registry(supervisor: Supervisor, kubeconfig: Kubeconfig) -> kopf.OperatorRegistry:
    """Return the handlers of a controller that lets *supervisor* do the work."""
    handlers = kopf.OperatorRegistry()

    @kopf.on.login(registry=handlers)
    def login(**_: Any) -> kopf.ConnectionInfo:
        certificate, key = (base64.b64encode(one) if one else None for one in (kubeconfig.certificate, kubeconfig.key))
        return kopf.ConnectionInfo(
            server=kubeconfig.server,
            ca_data=base64.b64encode(kubeconfig.authority),
            token=kubeconfig.token,
            certificate_data=certificate,
            private_key_data=key,
        )

    @kopf.on.startup(registry=handlers)
    def startup(settings: kopf.OperatorSettings, **_: Any) -> None:
        settings.persistence.finalizer = FINALIZER
        settings.persistence.diffbase_storage = _Unkept()
        settings.posting.level = logging.CRITICAL  # what is worth an event, we post ourselves
        settings.networking.request_timeout = 30

    @kopf.on.cleanup(registry=handlers)
    async def cleanup(**_: Any) -> None:
        await supervisor.close()
        await supervisor.tools.connection.close()

    for kind in (PROCESS, TASK):
        _serve(handlers, supervisor, kind)

    @kopf.on.event("v1", "secrets", registry=handlers)
    def secret(namespace: str | None, name: str | None, **_: Any) -> None:
        supervisor.changed((SECRET.kind, namespace or "", name or ""))

    return handlers


def _serve(handlers: kopf.OperatorRegistry, supervisor: Supervisor, kind: Kind) -> None:
    version = kind.api_version.rpartition("/")[2]

    @kopf.on.event(kind.group, version, kind.plural, registry=handlers)
    async def seen(body: kopf.Body, type: str | None, **_: Any) -> None:  # noqa: A002  # The framework's word.
        if type == "DELETED":
            await supervisor.gone(kind, _plain(body))
        else:
            supervisor.see(kind, _plain(body))

    @kopf.on.delete(kind.group, version, kind.plural, registry=handlers)
    async def deleted(body: kopf.Body, **_: Any) -> None:
        await supervisor.remove(kind, _plain(body))


def _plain(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return *body* as plain data: the framework's own is a view that moves."""
    found: dict[str, Any] = _copied(body)
    return found


def _copied(value: Any) -> Any:
    if hasattr(value, "items"):
        return {str(key): _copied(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_copied(entry) for entry in value]
    return value


def authority(machine: Machine) -> Authority:
    """Return the authority of *machine*.

    Raises:
        OSError: it can be neither read nor made.
    """
    return Authority.kept(machine.authority, AUTHORITY, datetime.now(UTC))


async def operate(
    machine: Machine, kubeconfig: Kubeconfig, programs: Programs, told: threading.Event | None = None
) -> None:
    """Serve Processes and Tasks of the whole cluster until *told* to end, or in the main thread by a signal."""
    supervisor = Supervisor(machine, programs, authority(machine), Connection(kubeconfig))
    await supervisor.sweep()
    await kopf.operator(registry=registry(supervisor, kubeconfig), clusterwide=True, standalone=True, stop_flag=told)
