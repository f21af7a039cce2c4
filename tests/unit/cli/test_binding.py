"""What `groundplane exec` and `groundplane binding` give: the binding's variables, and nothing that leads elsewhere."""

import itertools
import json
import os
import shlex
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from click.testing import CliRunner

from groundplane import contracts
from groundplane.cli import _claims, binding, execute
from groundplane.local.host import binding_variables

ENTRIES = {
    "type": "postgresql",
    "provider": "postgresql",
    "host": "127.0.0.1",
    "port": "5432",
    "database": "app",
    "username": "app_login_a",
    "password": "it's se:cr\\et",
    "uri": "postgresql://app_login_a:it%27s%20se%3Acr%5Cet@127.0.0.1:5432/app?sslmode=verify-full",
    "sslmode": "verify-full",
    "sslrootcert": "certificates",
    "certificates": "-----BEGIN CERTIFICATE-----\n",
    "root.crt": "-----BEGIN CERTIFICATE-----\n",
}
VARIABLES = {
    *("SERVICE_BINDING_ROOT", "DATABASE_URL", "PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "PGSSLMODE"),
    "PGSSLROOTCERT",
}
OF_A_SHELL = {
    *("PGSERVICE", "PGSERVICEFILE", "PGSYSCONFDIR", "PGHOSTADDR", "PGTARGETSESSIONATTRS", "PGOPTIONS", "PGPASSFILE"),
    *(
        "PGREQUIRESSL",
        "PGSSLCERTMODE",
        "PGSSLCERT",
        "PGSSLKEY",
        "PGSSLCRL",
        "PGSSLCRLDIR",
        "PGGSSENCMODE",
        "PGREQUIREAUTH",
    ),
    *("PGCHANNELBINDING", "PGAPPNAME", "PGTZ", "PGCLIENTENCODING", "PGDATA", "PGCLUSTER", "PG_OF_A_LATER_RELEASE"),
    *("SPRING_DATASOURCE_URL", "SPRING_DATASOURCE_PASSWORD", "SPRING_R2DBC_URL", "QUARKUS_DATASOURCE_JDBC_URL"),
}
SHOWN = "import json, os; print(json.dumps(dict(os.environ)))"
# A folder whose name everything must quote.
ODD = "a b&c+d%41='é"


@pytest.fixture(autouse=True)
def person(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return the home of a person who has one claim, and whose shell has variables of other databases."""
    home = tmp_path / ODD
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in OF_A_SHELL | VARIABLES:
        monkeypatch.setenv(name, "of-the-shell")
    monkeypatch.setattr(_claims, "client", lambda *_: None)
    monkeypatch.setattr(_claims, "binding", lambda *_: dict(ENTRIES))
    return home


def shown(form: str, home: Path) -> str:
    words = ["xdb/orders", "-n", "team-a", "-o", form, "--home", str(home / "plane")]
    result = CliRunner().invoke(binding.binding, words)
    assert result.exit_code == 0, result.output
    return result.stdout.rstrip("\n")


def run(program: str, *, shell: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables that a program of `groundplane exec` has, and what it finds mounted."""
    code = (
        "import sys; from groundplane.cli import _claims as claims, execute; claims.client = lambda *_: None;"
        f"claims.binding = lambda *_: {ENTRIES!r};"
        f"execute.execute.main(['xdb/orders', '--', sys.executable, '-c', {program!r}])"
    )
    done = subprocess.run([sys.executable, "-c", code], env=dict(shell), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_a_program_has_the_variables_of_the_binding_and_none_of_the_shell_that_lead_elsewhere() -> None:
    found = run(SHOWN)
    assert found.keys() & (OF_A_SHELL | VARIABLES) == VARIABLES
    assert "of-the-shell" not in found.values()


def test_a_program_keeps_all_other_variables_of_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PAGER", "PORT", "PSQLRC", "MY_PGHOST", "SPRING_DATASOURCE_HIKARI_MAXIMUM_POOL_SIZE"):
        monkeypatch.setenv(name, "kept")
    kept = {name for name, text in run(SHOWN).items() if text == "kept"}
    assert kept == {"PAGER", "PORT", "PSQLRC", "MY_PGHOST", "SPRING_DATASOURCE_HIKARI_MAXIMUM_POOL_SIZE"}


def test_no_variable_is_set_that_programs_of_any_kind_read() -> None:
    generic = {key.upper().replace("-", "_").replace(".", "_") for key in ENTRIES}
    assert {"PORT", "HOST", "USERNAME", "PASSWORD", "TYPE", "DATABASE", "URI", "PROVIDER"} <= generic
    assert not generic & binding_variables.of(ENTRIES, Path("/bindings/orders")).keys()


def test_a_url_names_the_file_of_the_certificates_wherever_it_is_handed_out() -> None:
    found = run(
        "import json, os; root = os.environ['SERVICE_BINDING_ROOT'] + '/orders/'; found = dict(os.environ, root=root);"
        "found |= {name: open(root + name).read() for name in os.listdir(root)}; print(json.dumps(found))"
    )
    assert found["uri"] == found["DATABASE_URL"]
    assert psycopg.conninfo.conninfo_to_dict(found["uri"])["sslrootcert"] == found["root"] + "certificates"
    assert found["PGSSLROOTCERT"] == found["root"] + "certificates"
    assert {name: found[name] for name in ENTRIES if name != "uri"} == {k: v for k, v in ENTRIES.items() if k != "uri"}


def test_a_path_in_a_url_is_quoted_so_that_libpq_and_others_read_it() -> None:
    url = binding_variables.of(ENTRIES, Path("/tmp") / ODD)["DATABASE_URL"]  # noqa: S108  # Nothing is written there.
    path = f"/tmp/{ODD}/certificates"  # noqa: S108  # As above.
    assert psycopg.conninfo.conninfo_to_dict(url)["sslrootcert"] == path
    assert parse_qs(urlsplit(url).query, strict_parsing=True) == {"sslmode": ["verify-full"], "sslrootcert": [path]}


@pytest.mark.parametrize(
    ("file", "variable", "value"),
    [("root.crl", "PGSSLCRL", os.devnull), ("postgresql.crt", "PGSSLCERTMODE", "disable")],
)
def test_a_file_that_a_person_has_for_other_servers_is_not_read(
    person: Path, file: str, variable: str, value: str
) -> None:
    assert variable not in binding_variables.of(ENTRIES, person), (
        "some clients refuse it, so it is set only where it helps"
    )
    (person / ".postgresql").mkdir()
    (person / ".postgresql" / file).write_text("of another authority")
    assert binding_variables.of(ENTRIES, person)[variable] == value


def test_every_type_of_binding_says_what_its_clients_read() -> None:
    types = {word: keys for name in contracts.names() for word, keys in contracts.load(name).binding_types.items()}
    assert binding_variables.TYPES.keys() == types.keys()
    for word, keys in types.items():
        clients = binding_variables.TYPES[word]
        assert {*clients.entries.values(), clients.url[1], binding_variables.CERTIFICATES} <= set(keys)
        set_here = {*clients.entries, clients.certificates, clients.url[0], *clients.unread}
        assert all(map(clients.reads, set_here)), "what is set is also taken out of the shell"


def test_the_engines_own_clients_come_first_on_its_own_machine_and_last_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "/of/the/shell")
    first, second = execute.searched(own_first=True).split(os.pathsep)
    assert (Path(first) / "psql").is_file()
    assert second == "/of/the/shell"
    assert execute.searched(own_first=False).split(os.pathsep) == [second, first]


@pytest.mark.parametrize("form", ["env", "dotenv", "json"])
def test_the_variables_that_are_printed_are_those_that_a_program_is_given(form: str, person: Path) -> None:
    text = shown(form, person)
    if form == "env":
        dump = subprocess.run(
            ["sh", "-c", f'{text}\n"$0" -c "$1"', sys.executable, SHOWN], capture_output=True, text=True, check=True
        )
        found = json.loads(dump.stdout)
        assert not found.keys() & OF_A_SHELL, "what would lead elsewhere is taken out of the shell"
    elif form == "json":
        found = json.loads(text)
    else:
        found = dict(line.split("=", 1) for line in text.splitlines())
        found = {name: json.loads(value) if value.startswith('"') else value for name, value in found.items()}
    mounted = Path(found["PGSSLROOTCERT"]).parent
    assert {name: found[name] for name in VARIABLES} == binding_variables.of(ENTRIES, mounted)
    assert form == "env" or found.keys() == VARIABLES
    assert mounted.is_relative_to(person)


def test_what_is_mounted_for_a_shell_is_whole_for_its_owner_alone_and_nothing_of_before(person: Path) -> None:
    root = Path(json.loads(shown("json", person))["SERVICE_BINDING_ROOT"])
    (root / "orders" / "jdbc-url").write_text("of a release before")
    shown("psql", person)
    assert [one.name for one in root.iterdir()] == ["orders"], "libraries take every folder and file here for a binding"
    assert {one.name for one in (root / "orders").iterdir()} == ENTRIES.keys()
    for one in (person / "plane").rglob("*"):
        assert stat.S_IMODE(one.stat().st_mode) == (0o700 if one.is_dir() else 0o600), one


def test_psql_is_shown_with_all_it_needs_and_without_the_password(person: Path) -> None:
    words = shlex.split(shown("psql", person))
    *_, program, target = words
    assert Path(program).name == "psql"
    found = psycopg.conninfo.conninfo_to_dict(target)
    path = next(word for word in words if word.startswith("PGPASSFILE=")).removeprefix("PGPASSFILE=")
    assert str(found["sslrootcert"]).startswith(str(person))
    assert {found[key] for key in ("host", "port", "dbname", "user")} == {"127.0.0.1", "5432", "app", "app_login_a"}
    assert Path(path).read_text() == "127.0.0.1:5432:app:app_login_a:it's se\\:cr\\\\et"
    assert ENTRIES["password"] not in " ".join(words)
    taken = {name for flag, name in itertools.pairwise(words) if flag == "-u"}
    assert taken == {name for name in OF_A_SHELL if name.startswith("PG")} | {"PGPASSWORD"}
