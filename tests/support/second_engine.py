"""A made-up engine, so that leaving one engine for another can be tested without any real second one."""

from typing import Any

import pytest

from groundplane import engines
from groundplane.contracts.environment import Knobs
from groundplane.core.binding import Binding
from groundplane.core.condition import Verdict
from groundplane.core.manifest import SECRET, Kind
from groundplane.core.observation import Observation
from groundplane.core.rendered import Desired, Endpoint, Facts, Footprint, Given, Rendered
from groundplane.core.slot import Slot
from groundplane.engines import interface
from groundplane.engines.interface import Anchor

SHEET = Kind("paper.example.org/v1", "Sheet", "sheets")


class Paper:
    """Keeps databases on sheets of paper. A sheet under lock cannot go."""

    name = "paper"
    product = "Paper"
    provider = "local"
    anchor = Anchor("sheet", SHEET)
    archive = None
    kinds = (SHEET, SECRET)
    optional_kinds = ()
    operators = ()
    distributions = ()
    knobs = Knobs
    capabilities: dict[str, Any] = {}  # noqa: RUF012  # Honours everything.

    def render(self, ask: Any, slot: Slot, seen: Observation) -> Rendered:
        """Return a sheet, and a binding once it is written."""
        sheet = seen.existing(slot.resource("sheet"))
        written = sheet is not None and sheet.at("status", "written") is True
        locked = sheet is not None and sheet.at("status", "locked") is True
        manifest = SHEET.manifest(ask.claim.object(slot), spec={"size": ask.spec.storage.size})
        return Rendered(
            resources={slot.resource("sheet"): Desired(manifest, written, guarded=True)},
            binding=Binding("postgresql", "paper", {"host": "desk"}) if written else None,
            facts=Facts(
                version="1",
                endpoint=Endpoint("primary", "desk", 1),
                serving=Verdict.yes("Serving") if written else Verdict.no("Provisioning"),
                settled=Verdict.yes("AsDeclared"),
                releasable=not locked,
            ),
            given=Given("1", "1Gi", "None"),
            footprint=Footprint(1, "a sheet", "1Gi"),
        )


def register(patch: pytest.MonkeyPatch) -> None:
    """Make the engine known for as long as *patch* lasts."""
    real = engines.load

    def load(contract: str, engine: str) -> Any:
        return Paper() if engine == "paper" else real(contract, engine)

    patch.setattr(engines, "load", load)
    patch.setattr(interface, "load", load)
