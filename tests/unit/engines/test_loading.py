"""One answer imports one engine and one contract, however many there are on disk."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import catalogue
from groundplane import contracts
from groundplane.function.fn import FunctionRunner
from worlds import ready

BOMB = "raise RuntimeError('this engine was imported')\n"
OTHER_CONTRACTS = ("cache", "queue")
MADE_UP = 20
ANSWERS = """
import sys
from crossplane.function.proto.v1 import run_function_pb2 as fnv1
from groundplane.function.fn import FunctionRunner
request = fnv1.RunFunctionRequest.FromString(sys.stdin.buffer.read())
answer = FunctionRunner()._answer(request)
assert answer.ready, answer
assert answer.notices == (), answer.notices
print(*sorted(name for name in sys.modules if name.startswith("groundplane.engines.database.") and "._" not in name))
"""


@pytest.fixture
def crowded(tmp_path: Path) -> Path:
    """Return a copy of the package with twenty more engines, of three contracts; to import one of them is fatal."""
    shutil.copytree(catalogue.PACKAGE, tmp_path / "groundplane", ignore=shutil.ignore_patterns("__pycache__", "local"))
    shutil.copytree(catalogue.PACKAGE / "engines", tmp_path / "groundplane" / "engines", dirs_exist_ok=True)
    for number in range(MADE_UP):
        contract = ("database", *OTHER_CONTRACTS)[number % 3]
        folder = tmp_path / "groundplane" / "engines" / contract
        folder.mkdir(exist_ok=True)
        (folder / "__init__.py").touch()
        (folder / f"made_up_{number}.py").write_text(BOMB)
    for contract in OTHER_CONTRACTS:
        (tmp_path / "groundplane" / "contracts" / f"{contract}.py").write_text(BOMB)
    return tmp_path


def test_an_answer_imports_its_engine_alone(crowded: Path) -> None:
    world = ready().environment(made_up_1={"a": 1}, made_up_2={"a": 1})
    request = world.request(world.ask().asked).SerializeToString()
    done = subprocess.run(
        [sys.executable, "-c", ANSWERS],
        input=request,
        capture_output=True,
        cwd=crowded,
        env={"PYTHONPATH": str(crowded)},
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.split() == [b"groundplane.engines.database.cnpg"]


def test_the_function_imports_no_engine_and_no_contract_before_it_is_asked() -> None:
    program = "import sys, groundplane.function.fn; print(*(n for n in sys.modules if n.startswith('groundplane')))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert FunctionRunner.__module__ in found
    assert [name for name in found if name.startswith("groundplane.engines.database")] == []
    assert "groundplane.contracts.database" not in found


@pytest.mark.parametrize("name", contracts.names())
def test_a_contract_is_called_as_its_kind(name: str) -> None:
    contract = contracts.load(name)
    assert contracts.of_kind(contract.kind) is contract


@pytest.mark.parametrize("kind", ["Database", "XEnvironment", "XNothing", "X", "", "x_base", "X.os", "XDATABASE"])
def test_what_is_no_kind_of_ours_is_told(kind: str) -> None:
    with pytest.raises(LookupError, match="is not a kind of groundplane"):
        contracts.of_kind(kind)
