"""Every command and every option says what it is for, and all of it fits."""

import re
from collections.abc import Iterator

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from launchworthy.cli.main import app

ROOT = get_command(app)
EXPECTED = """
adopt
approve
attest
audit hash
audit ship
audit show
audit verify
check
control allow
control create
control deny
control grant
control list
control request
control resume
control revoke
control stop
dev
dev call
dev demo
dev token
evidence container
explain
handover
identity doctor
identity registration
lock
manifest show
migrate
policy test
probe
promote
secrets scan
status
verify-record
"""


def commands(command=ROOT, path=()) -> Iterator[tuple[tuple[str, ...], object]]:
    """Every command that does something, by its words."""
    inner = getattr(command, "commands", {})
    if path and (not inner or getattr(command, "invoke_without_command", False)):
        yield path, command
    for name, each in inner.items():
        yield from commands(each, (*path, name))


ALL = sorted(commands(), key=lambda one: one[0])
NAMES = [" ".join(path) for path, _ in ALL]


def test_the_commands_are_these():
    assert EXPECTED.strip().splitlines() == NAMES


@pytest.mark.parametrize(("path", "command"), ALL, ids=NAMES)
def test_every_command_and_every_option_has_a_sentence(path, command):
    assert (command.help or command.callback.__doc__).strip().endswith((".", "?"))
    for parameter in command.params:
        if parameter.name != "help":
            said = getattr(parameter, "help", None)
            assert said, f"{' '.join(path)}: {parameter.name}"
            assert said[0].isupper() or said.startswith("dist/"), said


@pytest.mark.parametrize("path", [(), *(path for path, _ in ALL)], ids=["launchworthy", *NAMES])
def test_help_shows_the_name_the_usage_and_each_option(path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "98")
    shown = CliRunner().invoke(app, [*path, "--help"], prog_name="launchworthy")
    assert shown.exit_code == 0
    assert shown.output.startswith(f"Usage: {' '.join(('launchworthy', *path))}")
    command = dict(ALL).get(path, ROOT)
    for parameter in command.params:
        for option in parameter.opts if parameter.param_type_name == "option" else ():
            assert re.search(rf"(^|[ ,]){re.escape(option)}\b", shown.output, re.MULTILINE), option
    assert max(len(line) for line in shown.output.splitlines()) <= 98


def test_the_list_of_commands_is_not_cut_off():
    shown = CliRunner().invoke(app, ["--help"]).output
    assert "..." not in shown.partition("Commands:")[2]


def test_no_command_at_all_shows_the_help_and_is_no_success():
    shown = CliRunner().invoke(app, [])
    assert shown.exit_code == 2
    assert "Usage:" in shown.output


def test_the_version_is_one_line():
    shown = CliRunner().invoke(app, ["--version"])
    assert (shown.exit_code, shown.output.count("\n"), shown.output[:13]) == (0, 1, "launchworthy ")


@pytest.mark.parametrize(
    "arguments",
    [["chek"], ["check", "--rehears"], ["check", "--format", "xml"], ["explain"],
     ["check", "--environment", "development"], ["manifest", "show", "--format", "xml"], ["policy", "try"]],
)  # fmt: skip
def test_a_word_that_is_unknown_is_undecided(arguments):
    assert CliRunner().invoke(app, arguments).exit_code == 2


def test_the_app_is_typer_and_prints_no_traceback_boxes():
    assert isinstance(app, typer.Typer)
    assert app.rich_markup_mode is None
    assert app.pretty_exceptions_enable is False
