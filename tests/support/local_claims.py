"""Claims of the local engine: what is rendered for them, and what the provider says of its Process and Tasks."""

from typing import Any

from groundplane.apis.processes import PROCESS, TASK
from made_up import CA, Manifest, claim
from worlds import World

PORT = 45678
INSTALLED = {f"{kind.plural}.{kind.group}" for kind in (PROCESS, TASK)}
ELSEWHERE: dict[str, None] = dict.fromkeys(("kubernetes", "backup", "monitoring"))


def fresh(through: str = "compose", /, **spec: Any) -> World:
    """Return a claim of one machine that nobody has looked at yet."""
    world = World(claim=claim("local", **spec), engine="local", through=through, installed={*INSTALLED})
    data = {**ELSEWHERE, "engines": {"database": "local"}, "waivers": ["FailureTolerance"]}
    return world.environment("local", **data).granted()


def ready(through: str = "compose", /, **spec: Any) -> World:
    """Return a claim that is served and settled."""
    world = fresh(through, **spec)
    world.reconcile()
    for role in ("init", "setup", "report", "backup"):
        succeeds(world, role, version="17.10")
    says(world, Ready="True", Serving="True")
    world.reconcile(times=2)
    return world


def says(world: World, message: str = "", reason: str = "", **conditions: str) -> None:
    """Let the Process say *conditions*, those that are not True with *reason* and *message*."""
    told = [
        {"type": kind, "status": status, **({} if status == "True" else {"reason": reason, "message": message})}
        for kind, status in conditions.items()
    ]
    status = {"conditions": told, "ports": [{"name": "primary", "number": PORT}], "authority": CA}
    world.of("local-1-server")["status"] = status


def succeeds(world: World, role: str, **result: str) -> None:
    """Let the Task that plays *role* succeed, if there is one."""
    if f"local-1-{role}" in world.composed:
        done: Manifest = {"conditions": [{"type": "Succeeded", "status": "True"}], "result": result}
        world.of(f"local-1-{role}")["status"] = done


def fails(world: World, role: str, message: str) -> None:
    """Let the Task that plays *role* fail, in the words of its program."""
    told = {"type": "Succeeded", "status": "False", "reason": "Failed", "message": message}
    world.of(f"local-1-{role}")["status"]["conditions"] = [told]
