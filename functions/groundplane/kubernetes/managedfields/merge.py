"""What a live value becomes when a configuration is applied to it, before anything is taken away."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass

from groundplane.core.manifest import JSON, Manifest
from groundplane.kubernetes.managedfields.schema import ABSENT, Form, Shape, Value


def merged(live: Value, config: Value, shape: Shape) -> Value:
    """Return *live* with all that *config* says; both fit *shape*, and at least one is there.

    Maps and lists with items of their own are merged, everything else is what *config* says. An empty list or map,
    and null, leave what is there alone. Shares parts with both arguments.
    """
    form = shape.form(live if config is ABSENT else config)
    if form is Form.SCALAR:
        return live if config is ABSENT else config
    if form is Form.LIST:
        return _merged_list(live, config, shape)
    return _merged_map(live, config, shape)


def _merged_map(live: Value, config: Value, shape: Shape) -> Value:
    ours, theirs = _map(live), _map(config)
    if shape.whole_map or not (ours or theirs):
        return live if config is ABSENT else config
    found: Manifest = {}
    for name in {**ours, **theirs}:
        child = shape.child(name)
        if child is not None:
            found[name] = merged(ours.get(name, ABSENT), theirs.get(name, ABSENT), child)
    return found


def _merged_list(live: Value, config: Value, shape: Shape) -> Value:
    ours = live if isinstance(live, list) else []
    theirs = config if isinstance(config, list) else []
    if shape.whole_list or not (ours or theirs):
        return live if config is ABSENT else config
    return _Interleaving.of(ours, theirs, shape).items()


def _map(value: Value) -> Manifest:
    return value if isinstance(value, dict) else {}


@dataclass(slots=True)
class _Interleaving:
    """Two lists on their way into one.

    The order of the configuration wins; what only the live list has stays behind the item that it stands behind. Items
    that the configuration moves forward are merged where it has them.
    """

    shape: Shape
    live: deque[tuple[str, JSON]]
    config: deque[tuple[str, JSON]]
    of_live: dict[str, JSON]
    of_config: dict[str, JSON]
    shared: deque[str]
    done: set[str]
    out: list[JSON]

    @classmethod
    def of(cls, live: list[JSON], config: list[JSON], shape: Shape) -> _Interleaving:
        ours = deque((shape.step(item), item) for item in live)
        theirs = deque((shape.step(item), item) for item in config)
        counts = Counter(step for step, _ in ours)
        # A configuration is never merged into one of several live items with the same key: it replaces them.
        of_live = {step: item if counts[step] == 1 else None for step, item in ours}
        shared = deque(step for step, _ in theirs if step in of_live)
        return cls(shape, ours, theirs, of_live, dict(theirs), shared, set(), [])

    def items(self) -> list[JSON]:
        while self.live or self.config:
            if not self._take_live():
                self._take_config()
        return self.out

    def _take_live(self) -> bool:
        """Take or drop the next live item and return True, or return False when the configuration is next."""
        if not self.live:
            return False
        step, item = self.live[0]
        if self.config and step == self.config[0][0]:
            self.live.popleft()
            return False
        if self.config and step in self.of_config and self.shared and self.shared[0] != step:
            self.live.popleft()
            return True
        if step not in self.of_config:
            self.live.popleft()
            self._add(item, ABSENT)
            return True
        if step in self.done:
            self.live.popleft()
        return False

    def _take_config(self) -> None:
        if not self.config:
            return
        step, item = self.config.popleft()
        self.done.add(step)
        self._add(self.of_live.get(step, ABSENT), item)
        if self.shared and self.shared[0] == step:
            self.shared.popleft()

    def _add(self, live: Value, config: Value) -> None:
        self.out.append(merged(live, config, self.shape.items))
