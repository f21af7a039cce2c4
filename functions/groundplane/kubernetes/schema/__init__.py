"""What an API server does to an object - defaults, structure, CEL rules - without one.

Start at ``Registry.of(documents)``, ask it for a kind, and let the kind ``default`` and
``validate`` objects. ``check_schema`` and
``check_rules`` tell whether a cluster would take the definition of a kind at all.
"""

from groundplane.kubernetes.schema.definition import check_schema
from groundplane.kubernetes.schema.registry import DefinitionError, KindSchema, Registry
from groundplane.kubernetes.schema.rules import check_rules
from groundplane.kubernetes.schema.violation import Violation

__all__ = ["DefinitionError", "KindSchema", "Registry", "Violation", "check_rules", "check_schema"]
