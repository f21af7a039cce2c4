"""Files, folders and standard input, as objects that know where they come from."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from groundplane.core.manifest import JSON, Manifest, at
from groundplane.crossplane.errors import BadInputError
from groundplane.render.yaml_reader import parse

STANDARD_INPUT = "-"
SUFFIXES = (".yaml", ".yml", ".json")
KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml")  # says which files to apply; is no object itself


@dataclass(frozen=True, slots=True)
class Document:
    """One object and the words that say where it was found: a file, and a number if need be."""

    where: str
    manifest: JSON
    """An object, once it is checked."""


def unchecked(name: str, standard_input: Callable[[], bytes]) -> list[Document]:
    """Return what the file *name* holds, in order and not yet checked; ``-`` is *standard_input*.

    Raises:
        BadInputError: When it cannot be read or is no YAML.
    """
    if name == STANDARD_INPUT:
        return _documents(standard_input(), "standard input")
    return _documents(_content(Path(name)), name)


def of_file(path: Path) -> list[Document]:
    """Return the objects in the file *path*.

    Raises:
        BadInputError: When there is none, it cannot be read, or it holds what is no object.
    """
    found = _documents(_content(path), str(path))
    for document in found:
        check(document)
    return found


def of_file_or_folder(path: Path) -> list[Document]:
    """Return the objects in *path*: a file, or the YAML and JSON files directly in a folder.

    Raises:
        BadInputError: As `of_file`, and when the folder has no such file.
    """
    if not path.is_dir():
        return of_file(path)
    names = sorted(entry for entry in path.iterdir() if entry.suffix in SUFFIXES and entry.name not in KUSTOMIZATIONS)
    if not names:
        raise BadInputError(f"{path}: no {', '.join(SUFFIXES)} file in this folder")
    return [document for name in names for document in of_file(name)]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise BadInputError(f"{path}: no such file; check the path") from None
    except IsADirectoryError:
        raise BadInputError(f"{path}: a folder; name the files in it, as {path}/*.yaml") from None
    except OSError as error:
        raise BadInputError(f"{path}: cannot be read: {error.strerror}") from None


def _documents(data: bytes, name: str) -> list[Document]:
    return [found for where, value in parse(data, name) for found in _unpacked(where, value)]


def _unpacked(where: str, value: JSON) -> list[Document]:
    """Return the items of a list as ``kubectl get`` prints one, or the value itself."""
    items = at(value, "items")
    if at(value, "kind") != "List" or not isinstance(items, list):
        return [Document(where, value)]
    return [Document(f"{where}, items[{index}]", item) for index, item in enumerate(items)]


def check(document: Document) -> None:
    """Check what every stored object has, so that nothing later has to doubt it.

    Raises:
        BadInputError: When the object has no kind or name, or a part of it has the wrong shape.
    """
    manifest, where = document.manifest, document.where
    if not isinstance(manifest, dict):
        kind = "list" if isinstance(manifest, list) else "single value"
        raise BadInputError(f"{where}: a {kind}, not an object; it must start with apiVersion: and kind:")
    for field in ("apiVersion", "kind"):
        if not isinstance(manifest.get(field), str) or not manifest[field]:
            raise BadInputError(f"{where}: {field}: missing or no string; say which kind this is")
    for field in ("metadata", "spec", "status", "data"):
        _expect(where, field, manifest.get(field), dict, "an object")
    name = at(manifest, "metadata", "name")
    if not isinstance(name, str) or not name:
        raise BadInputError(f"{where}: metadata.name: missing or no string; give the object's name")
    metadata = manifest["metadata"]
    _expect(where, "metadata.namespace", metadata.get("namespace"), str, "a string")
    _expect(where, "metadata.uid", metadata.get("uid"), str, "a string")
    for field in ("labels", "annotations"):
        _expect(where, f"metadata.{field}", metadata.get(field), dict, "an object")
        for key, value in (metadata.get(field) or {}).items():
            if not isinstance(value, str):
                raise BadInputError(f"{where}: metadata.{field}.{key}: must be a string; put it in quotes")
    _check_owners(where, metadata.get("ownerReferences"))


def _check_owners(where: str, owners: JSON) -> None:
    _expect(where, "metadata.ownerReferences", owners, list, "a list")
    for index, owner in enumerate(owners or []):
        _expect(where, f"metadata.ownerReferences[{index}]", owner, dict, "an object")


def _expect(where: str, field: str, value: JSON, kind: type, words: str) -> None:
    if value is not None and not isinstance(value, kind):
        raise BadInputError(f"{where}: {field}: must be {words}")


def stored(document: Document) -> Manifest:
    """Return the object as an API server holds it: a Secret's ``stringData`` becomes ``data``.

    Raises:
        BadInputError: When a Secret's data is not base64. The message never shows a value.
    """
    manifest: Manifest = document.manifest
    if manifest["apiVersion"] != "v1" or manifest["kind"] != "Secret":
        return manifest
    for key, value in (manifest.get("data") or {}).items():
        try:
            base64.b64decode(value if isinstance(value, str) else "?", validate=True)
        except (binascii.Error, ValueError):
            raise BadInputError(
                f"{document.where}: data.{key}: not base64; encode the value, or use stringData"
            ) from None
    plain = manifest.get("stringData")
    _expect(document.where, "stringData", plain, dict, "an object")
    added = {key: _encoded(document.where, key, value) for key, value in (plain or {}).items()}
    kept = {key: value for key, value in manifest.items() if key != "stringData"}
    return {**kept, "data": {**(manifest.get("data") or {}), **added}}


def _encoded(where: str, key: str, value: JSON) -> str:
    if not isinstance(value, str):
        raise BadInputError(f"{where}: stringData.{key}: must be a string; put it in quotes")
    return base64.b64encode(value.encode()).decode()
