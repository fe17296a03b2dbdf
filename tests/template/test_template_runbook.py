"""Each command of the rendered RUNBOOK is run, on a project and an audit of its own; some say their help."""

import datetime as dt
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from rendering import ROOT, git

from conftest import Render
from launchworthy.testing import Refused
from launchworthy.testing.project import TestedProject
from launchworthy.testing.world import World

sys.path.insert(0, str(ROOT / "tests" / "architecture"))
from documents import commands

pytestmark = pytest.mark.slow
BIN = Path(sys.executable).parent
DEPLOYED = {("status",), ("identity", "doctor"), ("approve",), ("handover",)}
"""What asks a running deployment, a person at a sign-in page, or one who has never worked on it."""
SHORTENED = {("audit", "show"), ("control", "list"), ("control", "deny")}
"""Named in a sentence, and run elsewhere in the page with what they need."""
ALSO = {("verify-record",): 1, ("audit", "show"): 1}
"""What is answered by no where nobody has promoted, and where nothing of a kind was recorded."""


@dataclass(frozen=True)
class Duty:
    """What somebody on call finds: a project, its audit, the roots and the output of its server."""

    project: Path
    audit: Path
    said: dict[str, str]


@pytest.fixture(scope="module")
def duty(render: Render, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Duty]:
    folder = tmp_path_factory.mktemp("duty")
    project = folder / "orders"
    subprocess.run(["cp", "-r", render("orders, no Kubernetes"), project], check=True)
    git(project, "init", "--quiet")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "from the template")
    (folder / "world").mkdir()
    with TestedProject.read(project).world(folder / "world") as world:
        with (
            world.server("orders", PYTHONPATH=str(project / "src")),
            world.client("orders:read", "orders:write") as client,
        ):
            client.call("place_order", customer="c-17", item="teapot", quantity=2)
            with pytest.raises(Refused):
                client.call("refund_order", order_id=1, reason="arrived in pieces")
        (folder / "output.jsonl").write_text(_output(world.directory))
        yield Duty(project=project, audit=world.audit_directory, said=_said(folder, world))


def _output(directory: Path) -> str:
    return (directory / "stdout.txt").read_text()


def _said(folder: Path, world: World) -> dict[str, str]:
    """What stands for each word in capitals, and each path of production."""
    bundles = folder / "bundles"
    bundles.mkdir()
    (bundles / f"{world.authority.trust_domain}.pem").write_bytes(world.authority.bundle_pem())
    control = folder / "control.toml"
    control.touch()
    lines = [
        json.loads(line)
        for file in world.audit_directory.glob("*.jsonl")
        for line in file.read_text().splitlines()
    ]
    [call, *_] = [found for line in lines for found in re.findall(r"\w{4}-\w{4}-\w{4}", json.dumps(line))]
    return {
        "4T7K-9QX2-M0DV": call,
        "/var/log/launchworthy": str(world.audit_directory),
        "/etc/launchworthy/control.toml": str(control),
        "BUNDLES": str(bundles),
        "OUTPUT": str(folder / "output.jsonl"),
        "DIRECTORY": str(world.audit_directory),
        "DAY": dt.datetime.now(tz=dt.UTC).date().isoformat(),
        "TOOL": "refund_order",
        "@GROUP/on-call": "@acme/on-call",
        "@GROUP/security": "@acme/security",
        "ISSUER": "https://login.acme.example",
        "ID": "support-agent",
        "REASON": "no-identity",
    }


def _run(duty: Duty, *words: str) -> subprocess.CompletedProcess[str]:
    known = [duty.said.get(word, word) for word in words]
    return subprocess.run(
        [BIN / "launchworthy", *known], cwd=duty.project, capture_output=True, text=True, check=False
    )


def test_every_command_of_the_runbook_works(duty: Duty) -> None:
    text = (duty.project / "RUNBOOK.md").read_text()
    told = list(dict.fromkeys(commands(text)))
    assert len(told) > 15
    wrong: list[str] = []
    for words in told:
        name = next(words[:length] for length in (2, 1) if _is_command(words[:length]))
        if words == name and name in SHORTENED:
            continue
        if name in DEPLOYED:
            done = _run(duty, *name, "--help")
        elif name == ("control", "allow"):
            done = _run(duty, *(_denied(duty) if word == "ENTRY" else word for word in words))
        else:
            done = _run(duty, *words)
        if done.returncode not in {0, ALSO.get(name, 0)}:
            wrong.append(f"{' '.join(words)}: exit {done.returncode}: {done.stderr or done.stdout}")
    assert wrong == []


def test_what_the_runbook_stops_is_stopped_and_what_it_resumes_is_not(duty: Duty) -> None:
    control = Path(duty.said["/etc/launchworthy/control.toml"])
    where = ("--file", str(control))
    why = ("--why", "a test", "--who", "@acme/on-call", "--until", "8h")
    stopped = _run(duty, "control", "stop", "refund_order", *why, *where)
    assert stopped.returncode == 0, stopped.stderr
    assert "refund_order" in control.read_text()
    _run(duty, "control", "resume", "refund_order", *where)
    assert "refund_order" not in control.read_text()


def test_a_command_that_does_not_work_would_be_seen(duty: Duty) -> None:
    assert _run(duty, "audit", "show", "--nosuch", "/var/log/launchworthy").returncode == 2
    assert _run(duty, "audit", "verify", "--anchors", "OUTPUT", str(duty.project)).returncode != 0


def test_every_session_of_the_runbook_is_one_of_the_noxfile(duty: Duty) -> None:
    named = set(re.findall(r"noxfile\.py -s (\S+)", (duty.project / "RUNBOOK.md").read_text()))
    sessions = set(re.findall(r"@nox\.session\ndef (\w+)", (duty.project / "noxfile.py").read_text()))
    assert named
    assert named <= sessions


def _is_command(words: tuple[str, ...]) -> bool:
    from typer.main import get_command

    from launchworthy.cli.main import app

    at = get_command(app)
    for word in words:
        at = getattr(at, "commands", {}).get(word)
        if at is None:
            return False
    return not getattr(at, "commands", None)


def _denied(duty: Duty) -> str:
    """The entry that `control list` prints for what was denied."""
    listed = _run(duty, "control", "list", "--file", duty.said["/etc/launchworthy/control.toml"]).stdout
    found = re.search(r"\((deny-[0-9-]+)\)", listed)
    assert found is not None, listed
    return found[1]
