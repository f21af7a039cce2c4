"""What `groundplane render` reconciles for each example, for Crossplane to be given the same."""

from dataclasses import dataclass
from pathlib import Path

import catalogue
from catalogue import Manifest
from groundplane.render import installed
from groundplane.render.admission import Admission
from groundplane.render.environment_policy import admitted, composition_of
from groundplane.render.files import of_file
from groundplane.render.inputs import load
from groundplane.render.offline_cluster import environments
from scenarios import NOON, Asked


@dataclass(frozen=True)
class Example:
    """One claim in one environment, which chooses the engine; or on the engine of *composition* while none does."""

    claim: Path
    environment: Path
    composition: Path | None = None

    def __str__(self) -> str:
        chosen = self.composition or self.environment
        return f"{self.claim.parent.name}/{self.claim.stem}-in-{chosen.stem}"

    def asked(self) -> tuple[Asked, Manifest]:
        """Return what is reconciled; and the claim as it was before any default was put into it."""
        # What a claim of the examples asks for; it holds the claim that is an engine's own example.
        around = [catalogue.REQUIRED] if self.claim.parent == catalogue.CLAIMS else []
        inputs = load(
            required=[str(path) for path in (*around, *([self.environment] if self.composition else []))],
            environment="" if self.composition else str(self.environment),
            composition=str(self.composition or ""),
        )
        (document,) = of_file(self.claim)
        admission = Admission(installed.apis())
        kind = admission.kind_of(document)
        known = environments(inputs.required)
        bound, bare = (
            admitted(one, known, inputs.environment, inputs.compositions, kind.contract)
            for one in (admission.admit(document), document.manifest)
        )
        composition = composition_of(bound, inputs.compositions, kind, use_default=inputs.own_compositions)
        asked = Asked(bound, composition, [], [*inputs.required, *inputs.compositions], [], NOON, "made-for-an-example")
        return asked, bare


def examples() -> list[Example]:
    """Return every claim of the examples in every environment, and the examples of engines that none chooses."""
    shown = [*catalogue.claims(), *(engine.example for engine in catalogue.engines())]
    everywhere = [Example(claim, environment) for claim in shown for environment in catalogue.environments()]
    unchosen = [engine for engine in catalogue.engines() if not engine.chosen]
    return everywhere + [Example(engine.example, engine.environment, engine.composition) for engine in unchosen]
