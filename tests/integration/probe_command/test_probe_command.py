"""`launchworthy probe` as people run it: the example is all right, and every way to end has its code."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from launchworthy.cli.main import app
from launchworthy.testing.project import TestedProject
from launchworthy.testing.world import wait_until

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "orders"
COMMAND = [sys.executable, "-m", "launchworthy.cli", "probe"]
FAST = ["--rate", "10000"]
ABOUT_TOKENS = [
    word
    for name in (
        "issuer.mixed-up",
        "signature.bit",
        "signature.none",
        "audience",
        "scopes",
        "dates.no-end",
        "purpose.untyped",
    )
    for word in ("--only", name)
]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    project = TestedProject.read(EXAMPLE)
    folder = tmp_path_factory.mktemp("world")
    with (
        project.world(folder) as world,
        world.server("orders", PYTHONPATH=str(EXAMPLE / "src")) as server,
    ):
        server.wait_ready()
        yield world


def probe(*arguments: str):
    return CliRunner().invoke(app, ["probe", *arguments])


def test_an_interruption_keeps_what_was_found_and_ends_with_130(world):
    slow = [*COMMAND, world.url, "--issuer", world.issuer.issuer, "--rate", "20", "--format", "json"]
    process = subprocess.Popen(
        slow,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
        preexec_fn=_heed_ctrl_c,  # noqa: PLW1509 - nothing else runs in this process
    )
    before = world.issuer.counts["sign"]
    wait_until(lambda: world.issuer.counts["sign"] > before + 8, timeout=60, what="the first cases")
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    said, complained = process.communicate(timeout=30)
    assert time.monotonic() - began < 30
    report = json.loads(said)
    assert report["ended"] == "it was interrupted"
    assert "right" in {each["result"] for each in report["findings"]}
    assert (process.returncode, complained) == (130, "")


def _heed_ctrl_c() -> None:
    """A job in the background inherits that SIGINT is ignored; a terminal's does not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_all_is_right_with_a_server_of_ours_and_its_tool_ran_only_where_it_should(world):
    world.executions.taken()
    tool = 'find_orders={"customer": "c-17", "limit": 5}'
    done = probe(world.url, "--issuer", world.issuer.issuer, "--tool", tool, "--format", "json", *FAST)
    report = json.loads(done.stdout)
    wrong = [
        (each["case"], each["revision"], each["wrong"])
        for each in report["findings"]
        if each["result"] == "wrong"
    ]
    assert wrong == []
    assert {each["case"] for each in report["findings"] if each["result"] == "not_run"} == {
        "sessions.unknown",
        "sessions.stolen",
    }
    assert done.exit_code == 0
    assert report["revisions"] == ["2026-07-28", "2025-11-25"]
    twins = sum(
        each["twin"] is not None and each["family"] not in {"methods", "challenge"}
        for each in report["findings"]
    )
    assert world.executions.taken() >= twins > 200


def test_without_a_tool_nothing_runs(world):
    world.executions.taken()
    done = probe(world.url, "--issuer", world.issuer.issuer, *FAST, "--limit", "150")
    assert world.executions.taken() == 0
    assert "150 requests" in done.stdout
    assert done.exit_code == 2


def token_command(world, folder: Path, *, obeys: bool = True) -> str:
    """A command that prints tokens of the world's issuer, as a deployment's own would."""
    tokens = {
        f"{resource}|{scope}": world.issuer.mint(world.issuer.grant(resource=resource, scopes=scope.split()))
        for resource in (world.url, "https://probe.invalid/mcp")
        for scope in ("orders:read", "orders:rea", "ORDERS:READ", "orders:read.all", "* orders:*", "")
    }
    (folder / "tokens.json").write_text(json.dumps(tokens))
    (folder / "token.py").write_text(
        "import json, os, pathlib, sys\n"
        f"pathlib.Path({str(folder / 'ran')!r}).open('a').write('x')\n"
        f"tokens = json.load(open({str(folder / 'tokens.json')!r}))\n"
        f"scope = os.environ.get('PROBE_SCOPE', 'orders:read') if {obeys} else 'orders:read'\n"
        f"resource = os.environ['PROBE_RESOURCE'] if {obeys} else {world.url!r}\n"
        "print(tokens[f'{resource}|{scope}'])\n"
    )
    return f"{sys.executable} {folder / 'token.py'}"


def cases(report, result: str) -> set[str]:
    return {each["case"] for each in report["findings"] if each["result"] == result}


def test_a_command_gives_tokens_for_other_scopes_and_for_nobody(world, tmp_path):
    tool = 'find_orders={"customer": "c-17", "limit": 5}'
    command = token_command(world, tmp_path)
    done = probe(
        world.url, "--token-command", command, "--tool", tool, "--format", "json", *FAST, *ABOUT_TOKENS
    )
    report = json.loads(done.stdout)
    assert cases(report, "wrong") == set()
    right = {
        "audience.other",
        "scopes.none",
        "scopes.step-up",
        "issuer.mixed-up",
        "signature.bit",
        "signature.none",
    }
    assert right <= cases(report, "right")
    assert {"dates.no-end", "purpose.untyped", "audience.missing"} <= cases(report, "not_run")
    assert done.exit_code == 0
    assert "ey" not in {each[:2] for each in done.stdout.split('"')}


def test_a_command_that_gives_the_same_token_for_everything_proves_nothing(world, tmp_path):
    tool = 'find_orders={"customer": "c-17", "limit": 5}'
    command = token_command(world, tmp_path, obeys=False)
    done = probe(
        world.url, "--token-command", command, "--tool", tool, "--format", "json", *FAST, *ABOUT_TOKENS
    )
    report = json.loads(done.stdout)
    assert {"audience.other", "scopes.none", "scopes.step-up"} <= cases(report, "not_run")
    assert cases(report, "wrong") == set()


def test_the_command_does_not_run_for_a_server_that_says_it_is_another(world, tmp_path):
    command = token_command(world, tmp_path)
    done = probe(world.url.replace("127.0.0.1", "localhost"), "--token-command", command, *FAST)
    assert not (tmp_path / "ran").exists()
    assert "the token command was not run" in " ".join(done.stdout.split())
    assert done.exit_code in {1, 2}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["ftp://a.example/"], "probe-url"),
        (["http://127.0.0.1:1/mcp"], "probe-unreachable"),
        (["http://a.example/mcp", "--token-command", "/bin/false"], "probe-plain-http"),
        (["https://a.example/mcp", "--issuer", "https://login.acme.example"], "probe-issuer"),
        (["https://a.example/mcp", "--issuer", "http://127.0.0.1:1", "--token-command", "x"], "probe-tokens"),
        (["https://a.example/mcp", "--tool", "a={"], "probe-tool"),
        (["https://a.example/mcp", "--only", "dates.no-ende"], "probe-case"),
        (["https://a.example/mcp", "--ca", "/no/such/file"], "probe-ca"),
        (["https://a.example/mcp", "--output", "/no/such/folder/report.json"], "probe-output"),
    ],
)
def test_what_cannot_be_asked_ends_with_2_and_its_reason(arguments, reason):
    done = probe(*arguments)
    assert done.exit_code == 2
    assert json.loads(done.stderr.splitlines()[0])["reason"] == reason


@pytest.mark.parametrize("shown", ["text", "json", "sarif", "junit"])
def test_a_report_goes_into_a_file_and_the_verdict_to_the_terminal(world, tmp_path, shown):
    file = tmp_path / "report"
    limit = ["--limit", "60", "--format", shown, "--output", str(file)]
    done = probe(world.url, "--issuer", world.issuer.issuer, *FAST, *limit)
    assert done.stdout.startswith("UNDECIDED")
    assert done.stdout.count("\n") == 1
    assert file.read_text()
    assert [each.name for each in tmp_path.iterdir()] == ["report"]
