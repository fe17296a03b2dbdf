"""`control` writes what servers read, refuses what they would not, and loses nothing."""

import fcntl
import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from launchworthy.cli import control_place
from launchworthy.cli.control_place import FilePlace
from launchworthy.cli.main import app
from launchworthy.state.control import Action, Entry, parse_control, writing

SAID = ("--why", "INC-77, paid twice", "--who", "@acme/on-call", "--until", "8h")
STOP = Entry(
    id="e-1", action=Action.STOP, targets=("refund_order",), name=None, who="@acme/on-call", why="INC-77",
    since=1_800_000_000, until=1_800_003_600, source="file",
)  # fmt: skip
ISSUER = ("--issuer", "https://login.acme.example")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "control.toml"


def run(*arguments: Any) -> Any:
    return CliRunner().invoke(app, ["control", *map(str, arguments)])


def entries(file: Path) -> Any:
    return parse_control(str(file), file.read_bytes(), source="file")


def test_a_stop_is_written_so_that_a_server_reads_it(file: Path) -> None:
    before = int(time.time())
    done = run("stop", "refund_order", "order", "--file", file, *SAID)
    assert done.exit_code == 0, done.output
    [entry] = entries(file)
    assert (entry.action, entry.targets, entry.who, entry.why) == (
        Action.STOP, ("refund_order", "order"), "@acme/on-call", "INC-77, paid twice",
    )  # fmt: skip
    assert before <= entry.since <= time.time()
    assert entry.until - entry.since == 8 * 3600
    assert file.stat().st_mode & 0o777 == 0o644
    assert f"{file}, which is new;" in done.stdout, "whoever mistyped it sees that nothing was there"


def test_what_stood_there_stays(file: Path) -> None:
    run("stop", "refund_order", "--id", "first", "--file", file, *SAID)
    file.chmod(0o640)
    denied = run("deny", *ISSUER, "--client", 'the "agent"', "--id", "second", "--file", file, *SAID)
    assert denied.exit_code == 0, denied.output
    assert "new" not in denied.stdout
    stop, deny = entries(file)
    assert (stop.id, deny.id, deny.name) == (
        "first", "second", ("client", "https://login.acme.example", 'the "agent"'),
    )  # fmt: skip
    assert file.stat().st_mode & 0o777 == 0o640
    assert list(file.parent.iterdir()) == [file]


def test_of_two_commands_at_once_neither_takes_out_what_the_other_wrote(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, both = writing.read_entries, threading.Barrier(2, timeout=0.5)

    def slowly(path: Path) -> Any:
        found = read(path)
        with suppress(threading.BrokenBarrierError):  # the other has read the same, or waits
            both.wait()
        return found

    monkeypatch.setattr(writing, "read_entries", slowly)
    FilePlace(file, may_be_missing=True).change(lambda _: ())
    with ThreadPoolExecutor(2) as threads:
        for name in ("first", "second"):
            stop = replace(STOP, id=name)
            threads.submit(FilePlace(file, may_be_missing=True).change, lambda old, new=stop: (*old, new))
    assert {each.id for each in entries(file)} == {"first", "second"}
    assert list(file.parent.iterdir()) == [file]


def test_a_command_that_hangs_is_not_waited_for(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_place, "_PATIENCE", 0.1)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        busy = run("stop", "refund_order", "--file", file, *SAID)
        assert (busy.exit_code, "control-file-busy" in busy.stderr, file.exists()) == (2, True, False)
    finally:
        os.close(folder)
    assert run("stop", "refund_order", "--file", file, *SAID).exit_code == 0


def test_resuming_one_target_leaves_the_others_stopped(file: Path) -> None:
    run("stop", "refund_order", "order", "--file", file, *SAID)
    run("stop", "*", "--id", "all", "--file", file, *SAID)
    assert run("resume", "order", "--file", file).exit_code == 0
    assert [each.targets for each in entries(file)] == [("refund_order",), ("*",)]
    assert run("resume", "refund_order", "--file", file).exit_code == 0
    assert [each.targets for each in entries(file)] == [("*",)]
    assert run("resume", "all", "--file", file).exit_code == 0
    assert entries(file) == ()


def test_a_denial_is_lifted_by_its_id_and_never_by_resume(file: Path) -> None:
    run("deny", *ISSUER, "--subject", "ada", "--id", "deny-ada", "--file", file, *SAID)
    assert run("resume", "deny-ada", "--file", file).exit_code == 2
    assert len(entries(file)) == 1
    assert run("allow", "deny-ada", "--file", file).exit_code == 0
    assert entries(file) == ()


@pytest.mark.parametrize(
    "arguments",
    [
        ("stop", "refund_order", "--why", "x", "--who", "@acme/on-call"),
        ("stop", "Refund Order", *SAID),
        ("stop", "refund_order", *SAID[:-1], "tomorrow"),
        ("stop", "refund_order", *SAID[:-1], "2020-01-01T00:00:00Z"),
        ("stop", "refund_order", *SAID[:-1], "2030-01-01T00:00:00"),
        ("stop", "refund_order", "--why", "", "--who", "@acme/on-call", "--until", "8h"),
        ("deny", "--issuer", "https://login.acme.example", *SAID),
        ("deny", "--issuer", "https://login.acme.example", "--subject", "a", "--client", "b", *SAID),
        ("resume", "refund_order"),
        ("grant", "missing.toml"),
        ("revoke", "grant-1"),
    ],
)
def test_what_no_server_would_read_is_not_written(file: Path, arguments: tuple[str, ...]) -> None:
    file.write_text("")
    assert run(*arguments, "--file", file).exit_code == 2
    assert file.read_text() == ""


def test_a_broken_list_is_not_written_over(file: Path) -> None:
    file.write_text("[[stop]]\n")
    done = run("stop", "refund_order", "--file", file, *SAID)
    assert done.exit_code == 2
    assert file.read_text() == "[[stop]]\n"


def test_a_list_is_printed_for_people_and_for_programs(file: Path) -> None:
    file.write_text("")
    assert "nothing is stopped" in run("list", "--file", file).output
    run("stop", "refund_order", "--id", "stop-1", "--file", file, *SAID)
    shown = run("list", "--file", file).output
    assert "refund_order" in shown
    assert "INC-77, paid twice" in shown
    said = json.loads(run("list", "--file", file, "--format", "json").output)
    assert (said["schema"], said["entries"][0]["id"]) == ("urn:launchworthy:control:v1", "stop-1")


def test_a_missing_list_is_no_empty_list(file: Path) -> None:
    assert run("list", "--file", file).exit_code == 2
