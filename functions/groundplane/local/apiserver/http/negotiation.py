"""Between HTTP and objects: which form an answer takes, and what a body says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import yaml

from groundplane.core.manifest import JSON, Manifest
from groundplane.kubernetes import status_errors
from groundplane.local.apiserver.protobuf import codec

JSON_TYPE = "application/json"
YAML_TYPE = "application/yaml"
READ = (JSON_TYPE, YAML_TYPE, codec.MEDIA_TYPE)
_WRITTEN = (JSON_TYPE, YAML_TYPE, codec.MEDIA_TYPE)
_ANY = ("*/*", "application/*", "")
_PARTIAL = ("PartialObjectMetadata", "PartialObjectMetadataList")


@dataclass(frozen=True, slots=True)
class Form:
    """How to answer.

    Attributes:
        media_type: JSON, YAML or protobuf.
        shape: ``Table``, ``PartialObjectMetadata``, or empty for the object itself.
        parameters: What the client said beside the media type.
    """

    media_type: str = JSON_TYPE
    shape: str = ""
    parameters: dict[str, str] = field(default_factory=dict)


def form(accept: str, shapes: Sequence[str] = (), *, in_protobuf: bool = False) -> Form:
    """Return the first form in *accept* that is spoken here.

    Args:
        accept: The header; empty for anything.
        shapes: Which shapes other than the object itself can be given.
        in_protobuf: Whether there are messages for the object itself; of its metadata there always are.

    Raises:
        StatusError: None is.
    """
    for part in accept.split(","):
        media_type, *rest = (word.strip() for word in part.split(";"))
        parameters = dict(word.split("=", 1) for word in rest if "=" in word)
        if media_type in _ANY:
            return Form()
        if media_type not in _WRITTEN:
            continue
        wanted = parameters.get("as", "")
        if not wanted and (in_protobuf or media_type != codec.MEDIA_TYPE):
            return Form(media_type)
        if media_type == codec.MEDIA_TYPE and wanted not in _PARTIAL:
            continue
        shape = _PARTIAL[0] if wanted in _PARTIAL else wanted
        if shape in shapes and parameters.get("g") == "meta.k8s.io" and parameters.get("v") == "v1":
            return Form(media_type, shape, parameters)
    raise status_errors.unacceptable(_WRITTEN)


def form_of_refusal(accept: str) -> str:
    """Return the media type in which a Status is told to who sends *accept*: JSON when nothing else is understood."""
    try:
        return form(accept, ("Table", _PARTIAL[0]), in_protobuf=True).media_type
    except status_errors.StatusError:
        return JSON_TYPE


def written(value: JSON, media_type: str = JSON_TYPE) -> bytes:
    """Return *value* as bytes."""
    if media_type == codec.MEDIA_TYPE:
        return codec.encoded(value)
    if media_type == YAML_TYPE:
        return yaml.dump(value, Dumper=_Dumper, default_flow_style=False, allow_unicode=True).encode()
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def event(kind: str, value: JSON, media_type: str = JSON_TYPE) -> bytes:
    """Return what a watch tells: that *value* was added, changed and so on."""
    if media_type == codec.MEDIA_TYPE:
        return codec.event(kind, value)
    return written({"type": kind, "object": value})


_Dumper: type = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Texts(_Loader):  # type: ignore[misc]  # the C loader when there is one
    """Reads YAML as Kubernetes does: a time stays the text that it is written as."""


_Texts.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()  # type: ignore[attr-defined]  # both loaders have it
}


def media_type(header: str) -> str:
    """Return the media type in *header*, without parameters."""
    return header.partition(";")[0].strip().lower()


def read(content: bytes, header: str) -> tuple[JSON, str]:
    """Return what *content* says, and *content* as text.

    What is no JSON comes back as None: what is said about it depends on the verb.

    Raises:
        StatusError: It is in a form that is not read here.
    """
    kind = media_type(header) or JSON_TYPE
    if kind == codec.MEDIA_TYPE:
        try:
            found: Manifest = codec.decoded(content)
        except codec.FormatError:
            raise status_errors.unsupported((JSON_TYPE, YAML_TYPE)) from None
        return found, json.dumps(found)
    if kind not in READ:
        raise status_errors.unsupported(READ)
    text = content.decode("utf-8", "replace")
    return (from_yaml(text) if kind == YAML_TYPE else from_json(text)), text


def from_json(text: str) -> JSON:
    """Return what *text* says.

    Raises:
        StatusError: It is no JSON.
    """
    try:
        return json.loads(text)
    except ValueError as error:
        raise status_errors.bad_request(f"{_why(text, error)}") from None


def _why(text: str, error: ValueError) -> str:
    ended = isinstance(error, json.JSONDecodeError) and error.pos >= len(text.rstrip())
    return "unexpected end of JSON input" if ended or not text.strip() else "invalid character looking for a value"


def from_yaml(text: str) -> JSON:
    """Return what *text*, YAML or JSON, says.

    Raises:
        StatusError: It is neither.
    """
    try:
        return _named(yaml.load(text, Loader=_Texts))  # noqa: S506  # derived from the safe loader
    except yaml.YAMLError as error:
        reason = getattr(error, "problem", "") or "cannot be read"
        raise status_errors.bad_request(f"error decoding YAML: yaml: {reason}") from None


def _named(value: JSON) -> JSON:
    """Return *value* with names that are texts, as JSON has them: YAML reads ``on`` as true."""
    if isinstance(value, list):
        return [_named(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {name if isinstance(name, str) else json.dumps(name): _named(one) for name, one in value.items()}
