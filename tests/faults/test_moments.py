"""What is restored is what was acknowledged up to that moment, row for row, at random moments of writing."""

import os
import random
import time
from datetime import UTC, datetime
from pathlib import Path

from faults.journal import Journal, rows
from faults.machine import Machine, machine

MOMENTS = int(os.environ.get("GROUNDPLANE_MOMENTS", "20"))
SEED = int(os.environ.get("GROUNDPLANE_FAULTS_SEED", "17"))
WRITING_SECONDS = 2 * MOMENTS
TOGETHER = 2  # copies that are made at a time


def test_a_copy_holds_exactly_what_was_acknowledged_up_to_its_moment(short: Path) -> None:
    chance = random.Random(SEED)  # noqa: S311  # The same moments every time, no secret.
    with machine(short) as here:
        here.apply("orders", parameters={"track_commit_timestamp": "on"})
        here.serves("orders")
        here.backed_up("orders")
        connect = here.connector()
        begun = int(time.time()) + 1
        with Journal(connect) as journal:
            time.sleep(WRITING_SECONDS)
            moments = sorted(chance.sample(range(begun, int(time.time())), MOMENTS))
            while moments:
                some, moments = moments[:TOGETHER], moments[TOGETHER:]
                for moment in some:
                    here.apply(f"at-{moment}", restore=_copy(moment))
                for moment in some:
                    _compare(here, journal, moment)


def _copy(moment: int) -> dict[str, object]:
    when = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"from": "Claim", "claimRef": {"name": "orders"}, "pointInTime": when}


def _compare(here: Machine, journal: Journal, moment: int) -> None:
    name = f"at-{moment}"
    here.serves(name)
    with here.connector(name)() as copy:
        found = rows(copy)
    with here.connector()() as source:
        told = source.execute(
            "SELECT number FROM written WHERE pg_xact_commit_timestamp(xmin) <= to_timestamp(%s)", (moment,)
        )
        committed = {number for (number,) in told}
    written = [*journal.acknowledged]
    must = {one.number for one in written if one.acknowledged <= moment}
    may = {one.number for one in written if one.sent <= moment}
    assert must <= found <= may, f"at {moment}: lost {sorted(must - found)}, early {sorted(found - may)}"
    assert found == committed, f"at {moment}: {sorted(found ^ committed)} by the server's own times"
    assert must, "nothing was written before that moment: it proves nothing"
    here.kubectl("delete", "xdatabase", name)
