"""What a policy sees of a request: whether it is about it at all, with which parameters, and in which namespace."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from groundplane.core.manifest import Manifest, at
from groundplane.kubernetes.cel.policies import RuleError
from groundplane.local.apiserver.admission.attributes import Asked
from groundplane.local.apiserver.admission.cel import Scope
from groundplane.local.apiserver.admission.denials import ConfigError
from groundplane.local.apiserver.admission.policies import Bound, Versions, selected


@dataclass(frozen=True, slots=True)
class Source:
    """Where policies and their parameters are found.

    Attributes:
        listed: Returns all objects of a resource, ``plural.group``.
        of_kind: Returns all objects of a kind in a namespace, by its apiVersion and kind; None when it is not served.
        namespace: Returns a namespace by its name, or None.
        versions: Returns the versions of a kind, by its group and plural.
    """

    listed: Callable[[str], list[Manifest]]
    of_kind: Callable[[str, str, str], list[Manifest] | None]
    namespace: Callable[[str], Manifest | None]
    versions: Versions


class Sight:
    """One request, as the policies look at it one after the other."""

    def __init__(self, source: Source, asked: Asked) -> None:
        """Look at *asked* on the plane of *source*."""
        self.asked = asked
        self._source = source
        self._namespace = source.namespace(asked.namespace) if asked.namespaced else None

    def become(self, found: Manifest) -> None:
        """Go on with the object as *found*."""
        self.asked = dataclasses.replace(self.asked, new=found)

    def scopes(self, one: Bound) -> Iterator[Scope]:
        """Yield what the expressions of a policy may know, once for each of its parameters.

        Raises:
            ConfigError: a parameter is missing.
            RuleError: a condition cannot be worked out.
        """
        for params in self.parameters(one):
            yield self.scope(one, params)

    def parameters(self, one: Bound) -> Iterator[Manifest | None]:
        """Yield the parameters with which a policy is about the request: None where it has none.

        Raises:
            ConfigError: a parameter is missing.
            RuleError: a condition cannot be worked out.
        """
        if not one.selects(self.asked, self._namespace):
            return
        for params in self._found(one):
            if self._conditions_hold(one, params):
                yield params

    def scope(self, one: Bound, params: Manifest | None) -> Scope:
        """Return what the expressions of a policy may know with *params*."""
        return Scope({**self._given(params), "namespaceObject": self._namespace}, one.variables, one.names)

    def _given(self, params: Manifest | None) -> Manifest:
        asked = self.asked
        rights = {"allowed": asked.user.owns}
        return {
            "object": asked.new,
            "oldObject": asked.old,
            "request": asked.request(),
            "namespaceObject": None,
            "params": params,
            "authorizer": {**rights, "requestResource": rights},
        }

    def _conditions_hold(self, one: Bound, params: Manifest | None) -> bool:
        conditions = one.spec.get("matchConditions") or []
        if not conditions:
            return True
        # They know no namespace, as on a cluster, where they are looked at first of all.
        scope = Scope(self._given(params), {}, tuple(name for name in one.names if name != "variables"))
        failed: RuleError | None = None
        for condition in conditions:
            try:
                if scope.value(condition["expression"]) is not True:
                    return False
            except RuleError as error:
                failed = failed or error
        if failed is not None:
            raise failed
        return True

    def _found(self, one: Bound) -> list[Manifest | None]:
        kind, reference = one.spec.get("paramKind"), at(one.binding, "spec", "paramRef")
        if not kind:
            return [None]
        namespace = (reference or {}).get("namespace") or self.asked.namespace
        found = self._source.of_kind(kind["apiVersion"], kind["kind"], namespace)
        if found is None:
            what = f"'{kind['apiVersion']}, Kind={kind['kind']}'"
            raise ConfigError("policy", f"failed to find resource referenced by paramKind: {what}")
        if not reference:
            return [None]
        if name := reference.get("name"):
            found = [each for each in found if each["metadata"]["name"] == name]
        else:
            found = [each for each in found if selected(reference.get("selector") or {}, each)]
        if found:
            return [*found]
        if reference.get("parameterNotFoundAction") == "Allow":
            return []
        raise ConfigError("binding", "no params found for policy binding with `Deny` parameterNotFoundAction")
