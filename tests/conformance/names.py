"""What kind each composed name has, over everything that is reconciled: it must always be the same."""

from collections.abc import Mapping

from catalogue import Manifest
from groundplane.core.slot import Slot

Kind = tuple[str, str]  # apiVersion and kind


class Names:
    """The kinds of composed names. A slot's number does not matter: its next generation has the same names."""

    def __init__(self) -> None:
        self.known: dict[str, Kind] = {}

    def learn(self, composed: Mapping[str, Manifest]) -> None:
        """Remember the kinds of *composed*.

        Raises:
            AssertionError: a name had another kind before.
        """
        for name, one in composed.items():
            kind = one["apiVersion"], one["kind"]
            before = self.known.setdefault(role(name), kind)
            if before != kind:
                raise AssertionError(f"{name} is a {kind}, and was a {before}: Crossplane would forget the old object")


def role(name: str) -> str:
    """Return a composed *name* without the number of its slot."""
    slot = Slot.of_resource(name)
    return f"{slot.engine}-*{name.removeprefix(str(slot))}" if slot else name
