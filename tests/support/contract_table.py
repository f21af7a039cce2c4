"""The contract as its pages state it, typed by hand: what the generated API of XDatabase must say."""

from typing import Any, Final

Facts = dict[str, Any]

LIST_OF_NAMED: Final = {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
SLOT: Final = "^[a-z][a-z0-9]*-[1-9][0-9]*$"


def enum(*values: str, **more: Any) -> Facts:
    return {"type": "string", "enum": list(values), **more}


def whole(least: int | None = None, most: int | None = None) -> Facts:
    limits = {"minimum": least, "maximum": most}
    return {"type": "integer", **{name: limit for name, limit in limits.items() if limit is not None}}


def text(pattern: str = "", **more: Any) -> Facts:
    return {"type": "string", **({"pattern": pattern} if pattern else {}), **more}


def record(*required: str, atomic: bool = False, **more: Any) -> Facts:
    kind = {"x-kubernetes-map-type": "atomic"} if atomic else {}
    return {"type": "object", **({"required": list(required)} if required else {}), **kind, **more}


# Section 1, then section 6.1. Every path of the spec stands here: one that does not is not in the contract.
SPEC: Final[dict[str, Facts]] = {
    "": record("storage", "version"),
    "protocol": enum("postgresql", default="postgresql"),
    "version": text("^[1-9][0-9]$"),
    "size": enum("XSmall", "Small", "Medium", "Large", "XLarge"),
    "resources": record("cpu", "memory", atomic=True),
    "resources.cpu": text(),
    "resources.memory": text(),
    "storage": record("size"),
    "storage.size": text("^[1-9][0-9]*(Gi|Ti)$"),
    "database": record(default={}),
    "database.name": text("^[a-z][a-z0-9_]{0,62}$", default="app"),
    "database.extensions": {**LIST_OF_NAMED, "maxItems": 32},
    "database.extensions[]": record("name"),
    "database.extensions[].name": text(),
    "parameters": record(maxProperties=64),
    "parameters{}": text(),
    "tier": enum("Development", "Standard", "Critical", default="Standard"),
    "deletionPolicy": enum("Protect", "Retain", "Delete"),
    "objectives": record(),
    "objectives.failureTolerance": enum("None", "Node", "Zone"),
    "objectives.rpoSeconds": whole(60, 604800),
    "objectives.rtoSeconds": whole(60, 604800),
    "backup": record(),
    "backup.retentionDays": whole(1, 3650),
    "recovery": record(),
    "recovery.drill": record(),
    "recovery.drill.policy": enum("Scheduled", "Never"),
    "recovery.drill.intervalDays": whole(1, 90),
    "recovery.checks": {**LIST_OF_NAMED, "maxItems": 20},
    "recovery.checks[]": record("name", "sql"),
    "recovery.checks[].name": text(),
    "recovery.checks[].sql": text(),
    "recovery.checks[].equals": text(),
    "recovery.checks[].atLeast": whole(),
    "restore": record("from", atomic=True),
    "restore.from": enum("Claim", "Backup", "Retained"),
    "restore.claimRef": record("name"),
    "restore.claimRef.name": text(),
    "restore.backupID": text(),
    "restore.pointInTime": text(format="date-time"),
    "credentials": record(),
    "credentials.rotationDays": whole(1, 365),
    "consumers": {
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["namespace"],
        "maxItems": 32,
    },
    "consumers[]": record("namespace"),
    "consumers[].namespace": text(),
    "maintenanceWindow": record("day", "startHour", atomic=True),
    "maintenanceWindow.day": enum("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"),
    "maintenanceWindow.startHour": whole(0, 23),
    "migration": record(),
    "migration.approvedSlot": text(SLOT),
    "migration.retiredSlots": {"type": "array", "x-kubernetes-list-type": "set"},
    "migration.retiredSlots[]": text(SLOT),
    "migration.retiredEntries": {"type": "array", "x-kubernetes-list-type": "set"},
    "migration.retiredEntries[]": text(),
    "migration.keepSourceDays": whole(1, 90),
    "migration.maxWritePauseSeconds": whole(),
}
# What a page leaves to the implementation: that there is a limit is asserted, not which.
FREE: Final = frozenset({"maxLength", "minLength", "maxItems", "pattern", "minimum", "maximum"})

# Section 6.5, the rows that apply to XDatabase: where, rule, message.
RULES: Final = {
    (
        "(root)",
        "self.metadata.name.matches('^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$')",
        "name: 1 to 40 lower-case letters, digits or '-', starting with a letter; engines add suffixes",
    ),
    (
        "protocol",
        "self == oldSelf",
        "protocol is fixed for the life of a claim; create a new claim and move the data",
    ),
    (
        "database.name",
        "self == oldSelf",
        "the database's name is fixed for the life of a claim; create a new claim and move the data",
    ),
    (
        "database.name",
        "!(self in ['postgres', 'template0', 'template1', 'rdsadmin', 'cloudsqladmin'])",
        "this name belongs to the server; choose another",
    ),
    ("version", "int(self) >= int(oldSelf)", "version can only rise; to go back, restore into a new claim"),
    (
        "storage.size",
        "quantity(self).compareTo(quantity(oldSelf)) >= 0",
        "storage cannot shrink; create a new claim with less and move the data with pg_dump and pg_restore",
    ),
    ("", "!(has(self.size) && has(self.resources))", "set size or resources, not both"),
    (
        "",
        "!has(self.restore) || (has(oldSelf.restore) && self.restore == oldSelf.restore)",
        "restore can only be set when the claim is created; create a new claim",
    ),
    (
        "restore",
        "(self.from == 'Claim') == has(self.claimRef) && (self.from == 'Backup') == has(self.backupID)",
        "from: Claim needs claimRef, from: Backup needs backupID, from: Retained neither",
    ),
    ("restore", "!has(self.pointInTime) || self.from != 'Retained'", "pointInTime goes with Claim or Backup"),
    ("recovery.checks[]", "has(self.equals) != has(self.atLeast)", "give equals or atLeast, one of them"),
    (
        "",
        (
            "!has(oldSelf.crossplane) || !has(oldSelf.crossplane.compositionRef)"
            " || (has(self.crossplane) && has(self.crossplane.compositionRef))"
        ),
        "keep spec.crossplane.compositionRef: without it another engine could be chosen",
    ),
}

# Section 6.3, every leaf but those of other kinds.
STATUS: Final = frozenset(
    """
    observedGeneration lastHandledReconcileAt engine slot version
    deletion.inForce deletion.stateful[] binding.name
    endpoints[].name endpoints[].host endpoints[].port
    effective.size effective.resources.cpu effective.resources.memory effective.deletionPolicy
    effective.objectives.failureTolerance effective.objectives.rpoSeconds effective.objectives.rtoSeconds
    effective.backup.retentionDays effective.recovery.drill.policy effective.recovery.drill.intervalDays
    effective.credentials.rotationDays effective.versioning
    waived[].guarantee waived[].asked waived[].given
    credentials.rotatedAt credentials.nextRotationAt credentials.previousValidUntil
    backup.id backup.lastSuccessTime backup.lastFailureTime backup.lastFailureMessage
    backup.firstRecoverableTime backup.latestRecoverableTime backup.size
    recovery.lastDrillTime recovery.result recovery.message recovery.measuredRPOSeconds recovery.measuredRTOSeconds
    recovery.backupID recovery.nextDrillTime
    recovery.history[].time recovery.history[].result recovery.history[].rpoSeconds recovery.history[].rtoSeconds
    migration.phase migration.sourceSlot migration.targetSlot migration.plan[] migration.startedTime
    migration.writePauseSeconds migration.message
    """.split()  # noqa: SIM905  # Sixty quoted paths would hide the table.
)

COLUMNS: Final = ["ENGINE", "VERSION", "ACCEPTED", "SERVING", "PROVEN", "LAST-BACKUP", "BINDING"]
WIDE_COLUMNS: Final = ["TIER", "LAST-DRILL", "MESSAGE"]

# Section 6.6.
BINDING_KEYS: Final = {
    "postgresql": {
        *("type", "provider", "host", "port", "database", "username", "password", "uri"),
        *("sslmode", "sslrootcert", "certificates", "root.crt"),
    }
}
