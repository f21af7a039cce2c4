"""What the objects of one slot say: ready or not, serving or not, backed up or not.

The provider's own Ready only tells that an object was found in the cloud: an instance that is stopped or full is Ready
all the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from groundplane.core.binding import RESOURCE as BINDING
from groundplane.core.condition import Status, Verdict
from groundplane.core.manifest import CLAIM_UID, SLOT, at
from groundplane.core.rendered import Backups, Endpoint, Facts
from groundplane.engines import _aws as aws
from groundplane.engines.database import _postgresql as postgresql
from groundplane.engines.database.rds._names import INGRESS_RULE, PARAMETER_GROUP, SECURITY_GROUP, Place, major
from groundplane.engines.database.rds._whose import Whose, refused_as_taken, whose

if TYPE_CHECKING:
    from collections.abc import Iterable

    from groundplane.core.manifest import Manifest
    from groundplane.core.observation import Observation, Observed

# Words of RDS. Under these clients are served.
AT_REST: Final = frozenset({"available", "backing-up", "storage-optimization"})
_BUSY: Final = frozenset(
    {
        "configuring-activity-stream",
        "configuring-associated-roles",
        "configuring-enhanced-monitoring",
        "configuring-iam-database-auth",
        "configuring-log-exports",
        "delete-precheck",
        "maintenance",
        "modifying",
        "resetting-master-credentials",
        "storage-config-upgrade",
        "storage-initialization",
    }
)
_KEY: Final = "the key of its storage cannot be used. Ask the platform team to enable the KMS key"
SERVED: Final = AT_REST | _BUSY

# Nothing gets better by waiting; someone has to act.
FATAL: Final = {
    "storage-full": "the storage is full. Raise storage.size",
    "stopped": "the instance was stopped. Ask the platform team to start it",
    "incompatible-parameters": "the server cannot start with its parameters. Correct spec.parameters",
    "inaccessible-encryption-credentials": _KEY,
    "inaccessible-encryption-credentials-recoverable": f"{_KEY}, and to start the instance",
    **dict.fromkeys(
        (
            "failed",
            "incompatible-create",
            "incompatible-network",
            "incompatible-option-group",
            "incompatible-restore",
            "restore-error",
        ),
        "the instance cannot recover by itself. Ask the platform team",
    ),
    "insufficient-capacity": "the cloud has no instance of this class left. Ask for another size, or wait",
}

_EMPTY_REFERENCE: Final = "referenced field was empty"  # it waits for another object; that one says why
_DUPLICATE: Final = re.compile(r"Invalid(Group|Permission)\.Duplicate")
_REQUEST: Final = re.compile(r",?\s*(?:api error )?request ?id: [-0-9a-f]+", re.IGNORECASE)
_NEEDED: Final = frozenset(
    f"{kind.kind}.{kind.group}" for kind in (SECURITY_GROUP, INGRESS_RULE, PARAMETER_GROUP)
)  # what is made in the account beside the instance
_COMPARED: Final = {
    "instanceClass": "Resizing",
    "allocatedStorage": "Resizing",
    "parameterGroupName": "Upgrading",
    "multiAz": "Provisioning",
    "backupRetentionPeriod": "Provisioning",
    "deletionProtection": "Provisioning",
    "caCertIdentifier": "Provisioning",
}


@dataclass(frozen=True, slots=True)
class Readiness:
    """Which objects of a slot do what they are for."""

    seen: Observation
    place: Place

    def get(self, role: str) -> Observed | None:
        """Return the observed object that plays *role*, or None."""
        return self.seen.get(self.place.slot.resource(role))

    def exists(self, role: str) -> bool:
        """Whether an object without a status of its own is there."""
        return self.get(role) is not None

    def applied(self, role: str) -> bool:
        """Whether a provider found the object where it belongs, and could bring it to what its spec says."""
        found = self.get(role)
        return found is not None and found.ready() and found.condition("Synced").holds

    def instance(self) -> bool:
        """Whether the server answers at an address."""
        found = self.get("instance")
        return found is not None and _status(found) in SERVED and address(found) is not None

    def login(self) -> bool:
        """Whether the application can log in and become the owner of its database."""
        roles = ("owner", "login-a", "member-admin", "member-a", "database", "access", "schema")
        return self.instance() and all(self.applied(role) for role in roles)


def address(instance: Observed) -> str | None:
    """Return the host name clients connect to, or None while there is none."""
    found = instance.at("status", "atProvider", "address")
    return str(found) if found else None


def host(place: Place, seen: Observation) -> str | None:
    """Return the host name, or the one already bound when it cannot be read for a moment: a binding does not flap."""
    instance, bound = seen.existing(place.slot.resource("instance")), seen.existing(BINDING)
    found = address(instance) if instance else None
    if found is None and bound and bound.annotation(SLOT) == str(place.slot):
        return bound.secret("host")
    return found


def releasable(place: Place, instance: Observed | None) -> bool:
    """Whether a deletion leaves nothing of ours: nothing was ever made, or the cloud's protection is seen to be off.

    With the protection on, deleting the object hangs, and nothing changes it any more. An object without a name in the
    cloud is no proof that nothing is there: its deletion would end at once, and leave the instance without a snapshot.
    """
    if instance is None or whose(place, instance) is Whose.ANOTHERS:
        return True  # what is another's is only looked at, and stays
    told = instance.at("status", "atProvider")
    if told or instance.annotation(aws.EXTERNAL_NAME) is not None or refused_as_taken(instance):
        return isinstance(told, dict) and told.get("deletionProtection") is False
    begun = instance.annotation("crossplane.io/external-create-pending") is not None
    return not begun or _refused(instance) is not None


def read(  # noqa: PLR0913  # What is known, by name.
    place: Place, seen: Observation, told: Observation, wanted: Manifest, waiting: list[str], *, bound: bool
) -> Facts:
    """Return how the service in *place* is.

    *seen* is what may be relied on of all that is *told*, *wanted* the Instance to be, *waiting* the roles that are not
    ready, *bound* whether clients can log in.
    """
    anchor = place.slot.resource("instance")
    observed = seen.existing(anchor)
    if observed is None:
        return Facts(backups=Backups(id=place.final_snapshot))
    open_question = _not_ours(place, told.existing(anchor))
    found, running = host(place, seen), observed.at("status", "atProvider", "engineVersionActual")
    delete = place.ask.effective.deletion_policy == "Delete"
    return Facts(
        version=str(running) if running else None,
        endpoint=Endpoint("primary", found, postgresql.PORT) if found else None,
        serving=open_question or _serving(place, observed, bound=bound),
        settled=open_question or _settled(place, observed, wanted, _trouble(place, seen, waiting)),
        backups=_backups(place, observed),
        releasable=releasable(place, told.existing(anchor)) if delete else True,
    )


def shortcomings(place: Place, seen: Observation, roles: Iterable[str]) -> tuple[str, ...]:
    """Return what the server does not do of what objects *roles* ask, without which the service serves all the same."""
    found = ((role, seen.get(place.slot.resource(role))) for role in roles)
    told = ((one, _failure(one)) for _, one in found if one)
    return tuple(f"{one.at('kind')} {one.name}: {failure}" for one, failure in told if failure)


def _not_ours(place: Place, instance: Observed | None) -> Verdict | None:
    """Return what is to be said while the account has an instance of our name that is not known to be ours."""
    found, name = whose(place, instance), place.identifier
    if found is Whose.OPEN:
        return Verdict.no("Provisioning", f"the account has an instance {name}; its tags will tell whose it is")
    if found is Whose.ANOTHERS:
        return Verdict.no(
            "EngineFailed",
            f"the account has an instance {name} that was not made for this claim: an earlier claim of this name left"
            " it. It is never taken over, and stays when this claim goes. Give the claim another name, or ask the"
            " platform team to remove or rename the instance.",
        )
    return None


def _status(instance: Observed) -> str:
    return str(instance.at("status", "atProvider", "status") or "")


def _refused(found: Observed) -> str | None:
    """Return what the cloud said when it refused the last request, or None.

    The number of the request is taken out: it differs each time, and a message must not.
    """
    return _complaint(found, "LastAsyncOperation")


def _failure(found: Observed) -> str | None:
    """Return what the cloud refused, or why the object could not be compared with its spec; None when all is well."""
    return _refused(found) or _complaint(found, "Synced")


def _complaint(found: Observed, condition: str) -> str | None:
    verdict = found.condition(condition)
    return _REQUEST.sub("", verdict.message or verdict.reason) if verdict.status is Status.FALSE else None


def _serving(place: Place, instance: Observed, *, bound: bool) -> Verdict:
    status = _status(instance)
    if status in FATAL:
        return Verdict.no("EngineFailed", f"{status}: {FATAL[status]}")
    if not _born(instance):
        reason = "Provisioning" if _refused(instance) is None else "EngineFailed"
        return Verdict.no(reason, _failure(instance) or status)
    if status not in SERVED:
        return Verdict.no("Unreachable", f"the instance is {status}")
    if not bound:
        database = place.ask.spec.database.name
        return Verdict.no("AwaitingCredentials", f"the login of database {database} is not in the server yet")
    return Verdict.yes("Serving")


def _settled(place: Place, instance: Observed, wanted: Manifest, trouble: str) -> Verdict:
    status, failure = _status(instance), _failure(instance)
    if not _born(instance):
        waits = failure is None or _EMPTY_REFERENCE in failure
        message = (trouble if waits else "") or failure or status
        return Verdict.no("Restoring" if place.ask.spec.restore else "Provisioning", message)
    difference = _difference(place, instance, wanted)
    if failure or difference is None:
        busy = "Upgrading" if status == "upgrading" else "Provisioning"
        trouble = failure or ("" if status in AT_REST else f"the instance is {status}") or trouble
        return Verdict.no(busy, trouble) if trouble else Verdict.yes("AsDeclared")
    reason, message = difference
    waits = place.ask.spec.maintenance_window is not None and status in AT_REST
    return Verdict.no("AwaitingWindow" if waits else reason, message)


def _born(instance: Observed) -> bool:
    return bool(address(instance)) and _status(instance) not in {"", "creating"}


def _difference(place: Place, instance: Observed, wanted: Manifest) -> tuple[str, str] | None:
    """Return the reason and the words for the first thing that is not as *wanted*, or None when all is."""
    version = place.ask.spec.version
    if major(instance) != version:
        return "Upgrading", f"version is {major(instance)}, to become {version}"
    desired, there = at(wanted, "spec", "forProvider"), instance.at("status", "atProvider")
    for field, reason in _COMPARED.items():
        if there.get(field) != desired[field]:
            return reason, f"{field} is {there.get(field)}, to become {desired[field]}"
    return None


def _trouble(place: Place, seen: Observation, waiting: list[str]) -> str:
    """Return the first of the objects *waiting* that says what is wrong, else their names.

    Before there is a server, only what it needs can be wrong.
    """
    instance = seen.existing(place.slot.resource("instance"))
    is_born = instance is not None and _born(instance)
    for role in waiting:
        found = seen.get(place.slot.resource(role))
        if found is None or not (is_born or found.group_kind in _NEEDED):
            continue
        failure = _failure(found)
        if failure and _EMPTY_REFERENCE not in failure:
            return f"{found.at('kind')} {found.name}: {failure}{_remedy(found, failure)}"
    return f"waiting for {', '.join(waiting)}" if waiting and is_born else ""


def _remedy(found: Observed, failure: str) -> str:
    """Return what a person can do where the provider forgot the id of what it made, which only the account knows."""
    if not _DUPLICATE.search(failure) or found.annotation(aws.EXTERNAL_NAME):
        return ""
    return (
        f". It is there, and its id is not known: the provider was restarted before it told. Platform team: annotate"
        f" {found.at('kind')} {found.name} with {aws.EXTERNAL_NAME}=<its id in the account>, if its tag {CLAIM_UID} has"
        f" this claim's uid; else remove it from the account"
    )


def _backups(place: Place, instance: Observed) -> Backups:
    """Return what is known of backups.

    RDS backs the log up without end, and says up to which moment it has it: that moment is both the last success and
    the latest point that can be restored. When the daily snapshot was taken, and the first point, is not told.
    """
    latest = instance.at("status", "atProvider", "latestRestorableTime") if place.ask.effective.backups else None
    return Backups(id=place.final_snapshot, last_success=latest, latest_recoverable=latest)
