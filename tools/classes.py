"""Write again which of RDS's default instance classes a region does not have, as a release of cfn-lint tells.

`pip install cfn-lint` into a folder of its own, then `.venv/bin/python tools/classes.py FOLDER/.../cfnlint`. Needs no
network. cfn-lint's lists are AWS's own answers of what can be ordered, with the date they were asked on.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

from groundplane.engines.database.rds import _classes
from groundplane.engines.database.rds._settings import CLASSES

LISTS: Final = "data/schemas/extensions/aws_rds_dbinstance/dbinstanceclass_enum.json"
VERSION: Final = "data/schemas/version.json"


def main(words: list[str]) -> int:
    """Write the file from the cfn-lint in the folder that *words* name, and return 0; 2 when they name none."""
    if len(words) != 1:
        print("classes: name the folder of cfn-lint's package", file=sys.stderr)
        return 2
    folder = Path(words[0])
    lists = json.loads((folder / LISTS).read_text(encoding="utf-8"))
    date = json.loads((folder / VERSION).read_text(encoding="utf-8"))["schema_date"]
    names = [entry.name for entry in CLASSES]
    regions = {region: [name for name in names if name not in ordered(found)] for region, found in lists.items()}
    lines = [f"    {json.dumps(region)}: {json.dumps(absent)}" for region, absent in sorted(regions.items())]
    text = "\n".join(["{", f'  "date": {json.dumps(date)},', '  "absent": {', ",\n".join(lines), "  }", "}"])
    _classes.FILE.write_text(text + "\n", encoding="utf-8")
    print(f"{len(regions)} regions, {sum(map(bool, regions.values()))} without some class")
    return 0


def ordered(region: dict[str, Any]) -> frozenset[str]:
    """Return the classes that *region* offers for PostgreSQL."""
    found = [
        rule["then"]["properties"]["DBInstanceClass"]["enum"]
        for rule in region["allOf"]
        if (engine := rule["if"]["properties"].get("Engine")) and engine.get("const") == "postgres"
    ]
    return frozenset(name for names in found for name in names)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
