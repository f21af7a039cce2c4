"""What a reconciler must be able to find out for a function."""

from __future__ import annotations

from typing import Protocol

from crossplane.function.proto.v1 import run_function_pb2 as fnv1


class Lookup(Protocol):
    """What a reconciler must be able to find out for a function."""

    def installed(self, api_version: str, kind: str) -> bool:
        """Whether objects of this kind can exist."""

    def fetch(self, selector: fnv1.ResourceSelector) -> fnv1.Resources:
        """Return what *selector* selects.

        Raises:
            ReconcileError: When the kind is not installed.
        """

    def schema(self, selector: fnv1.SchemaSelector) -> fnv1.Schema:
        """Return the schema of a kind, an empty message for one that is not installed."""

    def secret(self, namespace: str, name: str) -> dict[str, bytes]:
        """Return the decoded data of a Secret; empty when there is none."""
