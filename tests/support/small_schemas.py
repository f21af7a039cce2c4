"""Small kinds for the tests of groundplane.kubernetes.schema: only what a test is about."""

from groundplane.core.manifest import JSON, Manifest
from groundplane.kubernetes.schema import KindSchema, Registry, Violation

TEXT: Manifest = {"type": "string"}
WHOLE: Manifest = {"type": "integer"}


def record(*required: str, **properties: JSON) -> Manifest:
    """Return the schema of an object with these properties."""
    return {"type": "object", "required": list(required), "properties": properties}


def listing(of: Manifest, **more: JSON) -> Manifest:
    """Return the schema of a list; *more* says its list type and limits."""
    return {"type": "array", "items": of, **more}


def keyed(of: Manifest, *keys: str) -> Manifest:
    """Return the schema of a list whose items are told apart by *keys*."""
    return listing(of, **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)})


def mapping(of: JSON) -> Manifest:
    """Return the schema of a map."""
    return {"type": "object", "additionalProperties": of}


def ruled(schema: Manifest, *rules: str, message: str = "broken", **more: JSON) -> Manifest:
    """Return *schema* with CEL rules that all complain with *message*."""
    entries = [{"rule": rule, "message": message, **more} for rule in rules]
    return {**schema, "x-kubernetes-validations": entries}


def crd(spec: Manifest, *, kind: str = "Thing", **root: JSON) -> Manifest:
    """Return a CRD of *kind* with *spec* as the schema of ``spec``, and *root* beside it."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.example.org"},
        "spec": {
            "group": "example.org",
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": "things"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": {**record(spec=spec), **root}},
                }
            ],
        },
    }


def kind_with(spec: Manifest, *, kind: str = "Thing", **root: JSON) -> KindSchema:
    """Return the kind that ``crd(spec)`` defines."""
    found = Registry.of([crd(spec, kind=kind, **root)]).find("example.org/v1", kind)
    assert found is not None
    return found


def thing(spec: JSON, *, kind: str = "Thing", **more: JSON) -> Manifest:
    """Return an object of that kind."""
    identity = {"apiVersion": "example.org/v1", "kind": kind, "metadata": {"name": "a"}}
    return {**identity, "spec": spec, **more}


def complaints(schema: Manifest, spec: JSON, old: JSON = None) -> list[str]:
    """Return what a kind with *schema* as its spec says about *spec*, after *old*."""
    before = None if old is None else thing(old)
    return lines(kind_with(schema).validate(thing(spec), before))


def lines(violations: tuple[Violation, ...]) -> list[str]:
    """Return violations as a person reads them."""
    return [str(violation) for violation in violations]
