"""What goes because something else went: dependents, the content of namespaces, the objects of a kind.

What is to do follows from what is stored, so a plane that was killed goes on where it was: its first round looks at
everything. The later ones look at what changed since, because all that is owned is nearly all that is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from groundplane.core.manifest import Manifest, at
from groundplane.kubernetes.status_errors import StatusError
from groundplane.local.apiserver.authentication import COLLECTOR, CROSSPLANE, NAMESPACES, User
from groundplane.local.apiserver.kinds import definitions
from groundplane.local.apiserver.kinds.builtin import CRD_NAME, XRD_NAME
from groundplane.local.apiserver.kinds.resource import Resource
from groundplane.local.apiserver.registry.api import Api
from groundplane.local.apiserver.registry.deletion import FOREGROUND, ORPHAN, Options
from groundplane.local.apiserver.storage.records import Change, Key
from groundplane.local.apiserver.storage.store import Store

_BACKGROUND = Options(policy="Background")

#: One thing to do.
Deed = Callable[[], object]


class Left:
    """Whose owners must be looked for: at first everybody's."""

    def __init__(self) -> None:
        """Know nothing yet, so that the first round looks at everything."""
        self._all = True
        self._keys: set[Key] = set()
        self._gone: set[str] = set()

    def hear(self, change: Change) -> bool:
        """Return whether *change* may leave something to do: something went, is going, or belongs to something."""
        if change.key.resource == CRD_NAME:
            self._all = True  # an owner of a kind that was unknown may be absent now
        if change.type == "DELETED":
            self._gone.add(change.manifest()["metadata"]["uid"])
            return True
        owned = b'"ownerReferences":' in change.body
        if owned:
            self._keys.add(change.key)
        return owned or b'"deletionTimestamp":' in change.body

    def keep(self, key: Key) -> None:
        """Look at *key* in the next round, too: what is refused now may be allowed then."""
        self._keys.add(key)

    def take(self, store: Store) -> list[tuple[Key, Manifest]]:
        """Return the objects that are to be looked at, and forget them."""
        everything, keys, gone = self._all, self._keys, self._gone
        self._all, self._keys, self._gone = False, set(), set()
        if everything:
            return store.owned()
        found = {key: store.get(key) for key in sorted(keys, key=lambda one: (one.resource, one.path))}
        found |= dict(one for uid in sorted(gone) for one in store.dependents(uid))
        return [(key, one) for key, one in found.items() if one and one["metadata"].get("ownerReferences")]


def settle(api: Api, left: Left | None = None) -> bool:
    """Do what there is to do now; return whether anything was done, so that there may be more.

    Args:
        api: Where.
        left: What changed since the last round; without it, everything is looked at.
    """
    left = left or Left()
    done = False
    # All is decided before anything is done: a kind that goes now is not known any more a moment later.
    going, absent = [*_going(api)], [*_absent(api, left)]
    for deed in going:
        done = _did(deed) or done
    for key, deed in absent:
        if _did(deed):
            done = True
        else:
            left.keep(key)
    return done


def _did(deed: Deed) -> bool:
    try:
        return bool(deed())
    except StatusError:
        return False  # gone, or changed by another deed of this round; the next round sees it as it is


def _going(api: Api) -> Iterator[Deed]:
    for key, manifest in api.store.deleting():
        resource = api.catalogue.named(key.resource)
        if resource is not None:
            yield from _of_deleting(api, resource, key, manifest)


def _absent(api: Api, left: Left) -> Iterator[tuple[Key, Deed]]:
    for key, manifest in left.take(api.store):
        resource = api.catalogue.named(key.resource)
        if resource is not None:
            for deed in _of_owned(api, resource, key, manifest):
                yield key, deed


def _of_deleting(api: Api, resource: Resource, key: Key, manifest: Manifest) -> Iterator[Deed]:
    finalizers = manifest["metadata"].get("finalizers") or []
    if ORPHAN in finalizers:
        yield lambda: _orphan(api, resource, key, manifest)
    elif FOREGROUND in finalizers:
        yield lambda: _foreground(api, resource, key, manifest)
    if resource.name == "namespaces":
        yield lambda: _empty_namespace(api, resource, key, manifest)
    elif resource.name == CRD_NAME and definitions.CLEANUP_FINALIZER in finalizers:
        yield lambda: _empty_kind(api, resource, key, manifest)
    elif resource.name == XRD_NAME and definitions.COMPOSITE_FINALIZER in finalizers:
        yield lambda: _end_composite(api, resource, key, manifest)


def _without(manifest: Manifest, finalizer: str) -> Manifest:
    metadata = dict(manifest["metadata"])
    left = [one for one in metadata.get("finalizers") or [] if one != finalizer]
    metadata.pop("finalizers", None)
    return {**manifest, "metadata": metadata | ({"finalizers": left} if left else {})}


def _orphan(api: Api, resource: Resource, key: Key, owner: Manifest) -> bool:
    uid = owner["metadata"]["uid"]
    for dependent_key, dependent in api.store.dependents(uid):
        kind = api.catalogue.named(dependent_key.resource)
        if kind is not None:
            _disown(api, kind, dependent_key, dependent, {uid})
    api.release(resource, key, _without(owner, ORPHAN), COLLECTOR)
    return True


def _foreground(api: Api, resource: Resource, key: Key, owner: Manifest) -> bool:
    uid = owner["metadata"]["uid"]
    blocked, done = False, False
    for dependent_key, dependent in api.store.dependents(uid):
        kind = api.catalogue.named(dependent_key.resource)
        if kind is None or _placed_elsewhere(dependent_key, key):
            continue
        blocked = blocked or _blocks(dependent, uid)
        if not dependent["metadata"].get("deletionTimestamp") and not _other_owners(api, dependent_key, dependent, uid):
            options = Options(policy="Foreground", uid=dependent["metadata"]["uid"])
            done = _deleted(api, kind, dependent_key, options, COLLECTOR) or done
    if not blocked:
        api.release(resource, key, _without(owner, FOREGROUND), COLLECTOR)
    return done or not blocked


def _blocks(dependent: Manifest, uid: str) -> bool:
    owners = dependent["metadata"].get("ownerReferences") or []
    return any(owner["uid"] == uid and owner.get("blockOwnerDeletion") for owner in owners)


def _placed_elsewhere(dependent: Key, owner: Key) -> bool:
    return bool(owner.namespace) and dependent.namespace != owner.namespace


def _other_owners(api: Api, key: Key, dependent: Manifest, uid: str) -> bool:
    owners = dependent["metadata"].get("ownerReferences") or []
    return any(_state(api, key, owner) == "there" for owner in owners if owner["uid"] != uid)


def _of_owned(api: Api, resource: Resource, key: Key, manifest: Manifest) -> Iterator[Deed]:
    if manifest["metadata"].get("deletionTimestamp"):
        return
    owners = manifest["metadata"]["ownerReferences"]
    states = {owner["uid"]: _state(api, key, owner) for owner in owners}
    absent = {uid for uid, state in states.items() if state == "absent"}
    if not absent:
        return
    if len(absent) == len(states):
        options = Options(policy=_kept_policy(manifest), uid=manifest["metadata"]["uid"])
        yield lambda: _deleted(api, resource, key, options, COLLECTOR)
    elif "unknown" not in states.values():
        yield lambda: _disown(api, resource, key, manifest, absent)


def _kept_policy(manifest: Manifest) -> str:
    finalizers = manifest["metadata"].get("finalizers") or []
    return "Orphan" if ORPHAN in finalizers else "Foreground" if FOREGROUND in finalizers else "Background"


def _state(api: Api, dependent: Key, owner: Manifest) -> str:
    """Return whether *owner* is ``there``, ``absent``, or of a kind that is ``unknown`` here."""
    resource = api.catalogue.of_kind(owner["apiVersion"], owner["kind"])
    if resource is None:
        return "unknown"
    if resource.namespaced and not dependent.namespace:
        return "unknown"  # the real collector never resolves such a reference either
    found = api.store.get(resource.key(dependent.namespace, owner["name"]))
    return "there" if found is not None and found["metadata"]["uid"] == owner["uid"] else "absent"


def _disown(api: Api, resource: Resource, key: Key, manifest: Manifest, uids: set[str]) -> bool:
    owners = [owner for owner in manifest["metadata"].get("ownerReferences") or [] if owner["uid"] not in uids]
    metadata = {name: value for name, value in manifest["metadata"].items() if name != "ownerReferences"}
    metadata |= {"ownerReferences": owners} if owners else {}
    api.release(resource, key, {**manifest, "metadata": metadata}, COLLECTOR)
    return True


def _empty_namespace(api: Api, resource: Resource, key: Key, manifest: Manifest) -> bool:
    done, left = False, False
    for name in api.store.resources(key.name):
        kind = api.catalogue.named(name)
        if kind is not None:
            done = _delete_all(api, kind, key.name, NAMESPACES) or done
            left = left or bool(api.store.count(name, key.name))
    if not left and at(manifest, "spec", "finalizers"):
        api.release(resource, key, {**manifest, "spec": {}})
        return True
    return done


def _delete_all(api: Api, resource: Resource, namespace: str, user: User | None) -> bool:
    done = False
    for one in api.store.objects(resource.name, namespace):
        metadata = one["metadata"]
        if not metadata.get("deletionTimestamp"):
            key = Key(resource.name, metadata.get("namespace", ""), metadata["name"])
            done = _deleted(api, resource, key, _BACKGROUND, user, one_of_all=True) or done
    return done


def _deleted(  # noqa: PLR0913  # what, how, and for whom
    api: Api, resource: Resource, key: Key, options: Options, user: User | None, *, one_of_all: bool = False
) -> bool:
    """Delete an object for *user*; return whether that was allowed. What is refused, as by a policy, stays."""
    try:
        api.delete(resource, key.namespace, key.name, options, user, one_of_all=one_of_all)
    except StatusError:
        return False
    return True


def _empty_kind(api: Api, resource: Resource, key: Key, manifest: Manifest) -> bool:
    kind = api.catalogue.named(key.name)
    # Nobody is asked on a cluster either: that is why a definition itself is protected.
    if kind is not None and _delete_all(api, kind, "", None):
        return True
    if api.store.count(key.name):
        return False
    api.release(resource, key, _without(manifest, definitions.CLEANUP_FINALIZER))
    return True


def _end_composite(api: Api, resource: Resource, key: Key, manifest: Manifest) -> bool:
    definition = api.catalogue.named(CRD_NAME)
    found = api.store.get(Key(CRD_NAME, "", key.name))
    owners = at(found, "metadata", "ownerReferences") or []
    if found is not None and definition is not None and any(o["uid"] == manifest["metadata"]["uid"] for o in owners):
        if found["metadata"].get("deletionTimestamp"):
            return False
        # Crossplane deletes the composites first, each by the policies, and the kind when there are none. For those in
        # namespaces it only waits: its one request for all of them is answered that there is no such resource.
        kind = api.catalogue.named(key.name)
        done = kind is not None and not kind.namespaced and _delete_all(api, kind, "", CROSSPLANE)
        if api.store.count(key.name):
            return done
        return _deleted(api, definition, Key(CRD_NAME, "", key.name), _BACKGROUND, CROSSPLANE)
    api.release(resource, key, _without(manifest, definitions.COMPOSITE_FINALIZER))
    return True


def forget_events(api: Api, before: str) -> None:
    """Remove the events that nothing was added to since *before*, a time as objects write it."""
    resource = api.catalogue.named("events")
    if resource is None:
        return
    for one in api.store.objects("events"):
        seen = at(one, "series", "lastObservedTime") or one.get("lastTimestamp")
        last = seen or one["metadata"]["creationTimestamp"]
        if last < before:
            api.delete(resource, one["metadata"].get("namespace", ""), one["metadata"]["name"], _BACKGROUND)
