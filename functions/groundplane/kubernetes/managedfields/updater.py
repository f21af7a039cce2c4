"""One write to one object: what it claims, what it takes from others, what an apply takes away."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from groundplane.core.manifest import Manifest
from groundplane.kubernetes.managedfields import element
from groundplane.kubernetes.managedfields.compare import Comparison, compared, same
from groundplane.kubernetes.managedfields.conflict import ConflictError
from groundplane.kubernetes.managedfields.fieldset import EMPTY, FieldSet, at
from groundplane.kubernetes.managedfields.managers import APPLY, UPDATE, Claim, Managed, Owner, capped, owner_of
from groundplane.kubernetes.managedfields.merge import merged
from groundplane.kubernetes.managedfields.schema import Shape
from groundplane.kubernetes.managedfields.typed import adapted, check, fields_of, with_declared, without

Claims = dict[Owner, Claim]

_METADATA = element.field("metadata")
_SYSTEM = (
    "clusterName",
    "creationTimestamp",
    "generation",
    "managedFields",
    "name",
    "namespace",
    "resourceVersion",
    "selfLink",
    "uid",
)
# What nobody owns: identity, and what the API server writes itself.
_UNOWNED = at(
    (element.field("apiVersion"),),
    (element.field("kind"),),
    (_METADATA,),
    *((_METADATA, element.field(name)) for name in _SYSTEM),
)


@dataclass(frozen=True, slots=True)
class Write:
    """Who writes what kind of object, through what, and when.

    Attributes:
        manager: The name that the client gave.
        api_version: The version that is written.
        subresource: The subresource written through; empty for the object itself.
        shape: The shape of the kind.
        resets: What the endpoint does not write, so that nobody owns it by this write.
        served: The versions of the kind beside this one, which have the same fields.
        now: RFC 3339, whole seconds.
    """

    manager: str
    api_version: str
    subresource: str
    shape: Shape
    resets: FieldSet
    now: str
    served: Collection[str] = ()

    def updated(self, live: Manifest, new: Manifest, managed: Managed) -> Managed:
        """Return who owns what after *live* was replaced by *new*: the manager owns what changed, nobody what went.

        Raises:
            TypedError: one of them does not fit the schema.
        """
        for manifest in (new, live):
            check(manifest, self.shape, duplicates=True)
        comparison = self._compared(live, new)
        claims = {
            owner: claim
            for owner, claim in _minus(self._current(managed), comparison.changed | comparison.removed).items()
            if claim.fields
        }
        fields = comparison.changed.without_trees(self.resets) - _UNOWNED
        if not fields:
            return capped(Managed(claims, managed.times))
        owner = owner_of(self.manager, UPDATE, self.api_version, self.subresource)
        before = claims[owner].fields if owner in claims else EMPTY
        claims[owner] = Claim(fields | before, self.api_version)
        return capped(Managed(claims, managed.times).since(owner, self.now))

    def applied(self, live: Manifest, config: Manifest, managed: Managed, *, force: bool) -> tuple[Manifest, Managed]:
        """Return what *live* becomes by applying *config*, both of which fit, and who owns what then.

        Raises:
            ConflictError: it would change what another manager owns, and *force* is not set.
            TypedError: what is left of an item has no key.
        """
        owner = owner_of(self.manager, APPLY, self.api_version, self.subresource)
        claims = self._current(managed)
        last = claims[owner].fields if owner in claims else EMPTY
        own = Claim(fields_of(config, self.shape).without_trees(self.resets), self.api_version)
        result = self._pruned(_map(merged(live, config, self.shape)), last, {**claims, owner: own})
        comparison = self._compared(live, result)
        others = {other: claim for other, claim in claims.items() if other != owner}
        taken = {other: both for other, claim in others.items() if (both := claim.fields & comparison.changed)}
        if taken and not force:
            raise ConflictError(taken)
        others = _minus(others, comparison.changed | comparison.removed)
        kept = {
            other: claim
            for other, claim in {**others, owner: Claim(own.fields - _UNOWNED, own.api_version)}.items()
            if claim.fields
        }
        found = Managed(kept, managed.times)
        # Who applies what is there already owns it, too, but changed nothing, so that no time is noted.
        return (live, found) if same(live, result) else (result, found.since(owner, self.now))

    def _compared(self, live: Manifest, new: Manifest) -> Comparison:
        return compared(live, new, self.shape).outside(self.resets)

    def _current(self, managed: Managed) -> Claims:
        """Return the claims as the schema of today writes them; those in a version that is not served are forgotten."""
        return {
            owner: Claim(adapted(claim.fields, self.shape), claim.api_version)
            for owner, claim in managed.claims.items()
            if claim.api_version == self.api_version or claim.api_version in self.served
        }

    def _pruned(self, whole: Manifest, last: FieldSet, claims: Claims) -> Manifest:
        """Return *whole* without what the manager applied *last* and neither it nor anybody else owns now."""
        if not last:
            return whole
        shape = self.shape
        last = with_declared(last, shape)
        everything = with_declared(fields_of(whole, shape), shape)
        owned = EMPTY
        for claim in claims.values():
            owned |= claim.fields
        left = _map(without(whole, last, shape))
        kept = with_declared(fields_of(left, shape), shape) | with_declared(owned, shape)
        left = _map(without(whole, everything - kept, shape))
        kept = with_declared(fields_of(left, shape), shape)
        return _map(without(whole, (everything - kept) & last, shape))


def _minus(claims: Claims, taken: FieldSet) -> Claims:
    return {owner: Claim(claim.fields - taken, claim.api_version) for owner, claim in claims.items()}


def _map(value: object) -> Manifest:
    return value if isinstance(value, dict) else {}
