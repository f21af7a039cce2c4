"""What surrounds a claim: which objects exist, what is installed, which environment it is for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from groundplane.core.manifest import ENVIRONMENT_CONFIG, Manifest
from groundplane.crossplane.errors import BadInputError
from groundplane.render import files, installed
from groundplane.render.environment_policy import unknown_environment
from groundplane.render.files import SUFFIXES, Document
from groundplane.render.offline_cluster import environments


@dataclass(frozen=True, slots=True)
class Inputs:
    """What all claims of one command share."""

    observed: tuple[Manifest, ...]
    required: tuple[Manifest, ...]
    environment: str
    """The name of the environment asked for; empty when none was."""
    compositions: tuple[Manifest, ...]
    own_compositions: bool
    """Whether they are the package's, so that the XRD's default means one of them."""
    before: tuple[Document, ...]
    absent: tuple[str, ...]


def load(  # noqa: PLR0913  # one argument for each option of the command
    *,
    observed: Sequence[str] = (),
    required: Sequence[str] = (),
    environment: str = "",
    composition: str = "",
    claim_before: str = "",
    absent: Sequence[str] = (),
) -> Inputs:
    """Return the inputs that the options of the command name.

    Raises:
        BadInputError: When a file is not usable, or the environment is not known.
    """
    needed = _objects(required)
    name, extra = _environment(environment, needed)
    return Inputs(
        observed=_objects(observed),
        required=(*needed, *extra),
        environment=name,
        compositions=_compositions(composition),
        own_compositions=not composition,
        before=tuple(files.of_file(Path(claim_before))) if claim_before else (),
        absent=tuple(absent),
    )


def _objects(paths: Sequence[str]) -> tuple[Manifest, ...]:
    return tuple(files.stored(document) for path in paths for document in files.of_file_or_folder(Path(path)))


def _compositions(path: str) -> tuple[Manifest, ...]:
    if not path:
        return tuple(document.manifest for document in installed.compositions())
    found = [one.manifest for one in files.of_file(Path(path)) if one.manifest["kind"] == "Composition"]
    if not found:
        raise BadInputError(f"{path}: no Composition in it; give a file that holds one")
    return tuple(found)


def _environment(asked: str, required: Sequence[Manifest]) -> tuple[str, tuple[Manifest, ...]]:
    """Return the name of the environment *asked* for, and its object when it is a file's."""
    known = environments(required)
    if not asked or asked in known:
        return asked, ()
    path = Path(asked)
    if not path.is_file() and path.suffix not in SUFFIXES and len(path.parts) == 1:
        raise BadInputError(unknown_environment(asked, known))
    documents = files.of_file(path)
    found = environments(document.manifest for document in documents)
    if len(found) != 1:
        raise BadInputError(_not_one(asked, documents, found))
    return next(iter(found.items()))[0], tuple(found.values())


def _not_one(path: str, documents: Sequence[Document], found: dict[str, Manifest]) -> str:
    if found:
        names = ", ".join(sorted(found))
        return f"{path}: several environments ({names}); give the file with --required and one name with --environment"
    kinds = ", ".join(f"{one.manifest['kind']} of {one.manifest['apiVersion']}" for one in documents)
    return (
        f"{path}: {kinds} is no environment; expected one {ENVIRONMENT_CONFIG.kind} of {ENVIRONMENT_CONFIG.api_version}"
    )
