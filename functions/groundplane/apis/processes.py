"""What runs as processes of one machine: the kinds that the local provider serves, and nothing about any service."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from groundplane import __version__
from groundplane.contracts._base import Column, Model, Rule, keyed
from groundplane.core.manifest import GROUP, VERSION, Kind, Manifest
from groundplane.core.operator import Operator

LOCAL_GROUP: Final = f"local.{GROUP}"
PROCESS: Final = Kind(f"{LOCAL_GROUP}/{VERSION}", "Process", "processes")
TASK: Final = Kind(f"{LOCAL_GROUP}/{VERSION}", "Task", "tasks")
FINALIZER: Final = f"{LOCAL_GROUP}/provider"  # keeps an object until what runs for it has ended
RELEASE: Final = f"{GROUP}/release"  # annotation of its CRDs: the release that they came with
PROVIDER: Final = Operator(
    name="groundplane provider", version=__version__.rpartition(".")[0], kinds=(PROCESS, TASK), annotation=RELEASE
)

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
SHORT = r"^[a-z][a-z0-9]*$"
Name = Annotated[str, Field(min_length=1, max_length=253, pattern=NAME)]
Word = Annotated[str, Field(max_length=4096)]
Words = Annotated[list[Word], Field(max_length=64)]
Names = Annotated[list[Name], Field(max_length=8, json_schema_extra={"x-kubernetes-list-type": "set"})]


class SecretKey(Model):
    """An entry of a Secret in the same namespace."""

    name: Name
    """Name of the Secret."""
    key: Name
    """Entry whose value is taken."""


class ConfigFile(Model):
    """A file that a program reads, readable by nobody else."""

    rules = (Rule("has(self.content) != has(self.secret)", "give content or secret, one of them"),)

    name: Name
    """Its name in the folder $(FILES)."""
    content: Annotated[str, Field(max_length=65536)] | None = None
    """Its text, in which $(NAME) is expanded."""
    secret: SecretKey | None = None
    """The entry of a Secret that it holds, as it is."""
    changed: Literal["Restart", "Reload", "Nothing"] = "Restart"
    """What a change of it takes: a restart, SIGHUP, or nothing at all."""


ConfigFiles = Annotated[list[ConfigFile], Field(max_length=32, json_schema_extra=keyed("name"))]


class Program(Model):
    """What is run."""

    rules = (Rule("has(self.name) != has(self.module)", "give name or module, one of them"),)

    distribution: Name | None = None
    """Python distribution that brings the program; $(BIN) is the folder of its programs. Default: the system's own."""
    name: Name | None = None
    """Name of the program's file."""
    module: Annotated[str, Field(max_length=253, pattern=r"^groundplane\.dataplane\.[a-z_]+$")] | None = None
    """Module of Groundplane that is run instead of a program's file."""
    args: Words = Field(default_factory=list)
    """Arguments, in which $(NAME) is expanded. No secret: everybody can read them."""


class Port(Model):
    """A port of loopback. Its number is chosen once and stays."""

    name: Annotated[str, Field(max_length=15, pattern=SHORT)]
    """What it is for; its number is $(PORT_<NAME>), in capital letters."""


class Probe(Model):
    """How to tell whether it answers: a program that ends with 0."""

    name: Name
    """Name of a program of the same distribution."""
    args: Words = Field(default_factory=list)
    """Arguments, in which $(NAME) is expanded."""
    period_seconds: Annotated[int, Field(ge=1, le=3600)] = 10
    """Seconds between two probes once it answers; before that it is asked all the time."""
    timeout_seconds: Annotated[int, Field(ge=1, le=60)] = 5
    """Seconds until a probe counts as failed."""
    failure_threshold: Annotated[int, Field(ge=1, le=60)] = 3
    """How many probes in a row must fail until what it answered before is taken back. They follow within seconds."""


class ServingProbe(Probe):
    """How to tell whether it serves: a program that does what users do. What it says when it fails is told."""

    files: ConfigFiles = Field(default_factory=list)
    """Files in the folder $(FILES), beside those of the Process."""
    after: Names = Field(default_factory=list)
    """Tasks that must have succeeded before it is probed for the first time."""


class Stop(Model):
    """How it is told to end."""

    signal: Literal["SIGTERM", "SIGINT", "SIGQUIT"] = "SIGTERM"
    """The signal that asks it to end."""
    seconds: Annotated[int, Field(ge=1, le=3600)] = 30
    """Seconds until it is killed."""


class ProcessSpec(Model):
    """A program that runs all the time, with a folder of data."""

    program: Program
    """What is run."""
    files: ConfigFiles = Field(default_factory=list)
    """Files in the folder $(FILES)."""
    ports: Annotated[list[Port], Field(max_length=8, json_schema_extra=keyed("name"))] = Field(default_factory=list)
    """Ports that it listens on."""
    certificate: bool = False
    """Whether $(FILES) holds tls.crt, tls.key and ca.crt, made by the machine's own authority for loopback."""
    probe: Probe | None = None
    """How to tell whether it answers. Default: it does while it runs."""
    serving: ServingProbe | None = None
    """How to tell whether it serves. Default: nothing is said of that."""
    stop: Stop = Stop()
    """How it is told to end."""
    after: Names = Field(default_factory=list)
    """Tasks that must have succeeded before it starts."""
    size: Annotated[str, Field(max_length=32, pattern=r"^[1-9][0-9]*(Gi|Ti)$")]
    """Bytes that were asked for its folder $(DATA), as a quantity. They are neither set aside nor enforced: the disk is
    shared by all that runs on the machine."""
    data_policy: Literal["Retain", "Delete"] = "Retain"
    """What becomes of its folder $(DATA) when it is deleted."""


class PortStatus(Model):
    """A port that was chosen."""

    name: str
    """What it is for."""
    number: int
    """Its number."""


class Condition(Model):
    """A condition, as Kubernetes has it."""

    type: str
    """What it is about."""
    status: Literal["True", "False", "Unknown"]
    """Whether it holds."""
    reason: str
    """Why, in a word."""
    message: str = ""
    """Why, in a sentence."""
    last_transition_time: Annotated[str, Field(json_schema_extra={"format": "date-time"})]
    """When it last changed."""


Conditions = Annotated[list[Condition], Field(json_schema_extra=keyed("type"))]


class ProcessStatus(Model):
    """How it is."""

    observed_generation: int | None = None
    """The generation that this speaks of."""
    conditions: Conditions | None = None
    """Ready: it answers its probe. Serving: it answers those who use it, too."""
    pid: int | None = None
    """Its process."""
    started_at: Annotated[str, Field(json_schema_extra={"format": "date-time"})] | None = None
    """When it was started."""
    restarts: int | None = None
    """How often it ended by itself."""
    ports: Annotated[list[PortStatus], Field(json_schema_extra=keyed("name"))] | None = None
    """Ports that it listens on."""
    authority: str | None = None
    """Certificate of the authority that made its certificate, PEM."""


class TaskSpec(Model):
    """Work that ends. It is done once for what stands here, again when that changes, and must bear being repeated."""

    program: Program
    """What is run. What it prints as its last line, when that is a JSON object of strings, is the result."""
    files: ConfigFiles = Field(default_factory=list)
    """Files in the folder $(FILES)."""
    process: Name
    """The Process whose folders and ports it knows."""
    source: Name | None = None
    """A second Process, whose socket folder and ports it knows as $(SOURCE_RUN) and $(SOURCE_PORT_<NAME>). They are
    empty while it does not answer."""
    when: Literal["Before", "Ready"] = "Ready"
    """Before: while the Process does not run. Ready: while it answers."""
    every_seconds: Annotated[int, Field(ge=10, le=604800)] | None = None
    """Seconds after which it is done again. Default: once is enough."""
    timeout_seconds: Annotated[int, Field(ge=1, le=86400)] = 600
    """Seconds until it is ended and counts as failed."""


class TaskStatus(Model):
    """How it went."""

    observed_generation: int | None = None
    """The generation that this speaks of."""
    conditions: Conditions | None = None
    """Succeeded: what stands in spec was done."""
    done: str | None = None
    """What was done, as a digest: other work is still to do."""
    last_success_time: Annotated[str, Field(json_schema_extra={"format": "date-time"})] | None = None
    """When it last succeeded."""
    last_failure_time: Annotated[str, Field(json_schema_extra={"format": "date-time"})] | None = None
    """When it last failed."""
    result: dict[str, str] | None = None
    """What it said when it last succeeded."""


class Process(Model):
    """A program that runs on this machine, by the local provider."""

    spec: ProcessSpec
    """What runs."""
    status: ProcessStatus | None = None
    """How it is."""


class Task(Model):
    """Work that ends on this machine, by the local provider."""

    spec: TaskSpec
    """What is done."""
    status: TaskStatus | None = None
    """How it went."""


COLUMNS: Final[dict[Kind, tuple[Column, ...]]] = {
    PROCESS: (
        Column("READY", '.status.conditions[?(@.type=="Ready")].status'),
        Column("REASON", '.status.conditions[?(@.type=="Ready")].reason'),
        Column("RESTARTS", ".status.restarts", "integer"),
        Column("PID", ".status.pid", "integer", wide=True),
        Column("AGE", ".metadata.creationTimestamp", "date"),
    ),
    TASK: (
        Column("SUCCEEDED", '.status.conditions[?(@.type=="Succeeded")].status'),
        Column("REASON", '.status.conditions[?(@.type=="Succeeded")].reason'),
        Column("LAST", ".status.lastSuccessTime", "date"),
        Column("AGE", ".metadata.creationTimestamp", "date"),
    ),
}
MODELS: Final[dict[Kind, type[Model]]] = {PROCESS: Process, TASK: Task}


def spec_of(model: Model) -> Manifest:
    """Return *model* as the `spec` of an object, without what is left to its default."""
    written: Manifest = model.model_dump(by_alias=True, exclude_defaults=True, exclude_none=True)
    return written


def literal(text: str) -> str:
    """Return *text* so that nothing in it is expanded."""
    return text.replace("$(", "$$(")
