"""Has the same reconcile done offline and by Crossplane, and says where they differ."""

from dataclasses import dataclass

from conformance import comparing
from conformance.comparing import Inherent
from conformance.names import Names
from conformance.reconciler import Ran, Reconciler
from groundplane.render import Outcome
from scenarios import Asked


@dataclass
class Judge:
    """Counts what it compares, and remembers the kind of every name."""

    reconciler: Reconciler
    names: Names | None  # none while functions answer that never served a claim
    compared: int = 0

    def agreed(self, asked: Asked, *also: Inherent) -> tuple[Outcome, Ran]:
        """Return what *asked* comes to, once offline and once by Crossplane; *also* may differ.

        Raises:
            AssertionError: they differ in more than is inherent, or a name has another kind than before.
        """
        outcome, calls = self.reconciler.offline(asked)
        ran = self.reconciler.run(asked)
        self.compared += 1
        comparing.agree(comparing.ours(outcome, calls), comparing.theirs(ran), (*comparing.INHERENT, *also))
        if self.names is not None:
            self.names.learn(comparing.named(asked.observed))
            self.names.learn(outcome.resources)
        return outcome, ran
