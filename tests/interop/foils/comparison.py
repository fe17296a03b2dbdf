"""What does the probe see on each server? Run it, and write docs/comparison.md: `python comparison.py`."""

import json
import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from foils import ADD, running
from typer.testing import CliRunner

from launchworthy.cli.main import app
from launchworthy.probe.report import Finding, Report, Result
from launchworthy.testing.project import TestedProject

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "comparison.md"
EXAMPLE = ROOT / "examples" / "orders"
FIND_ORDERS = 'find_orders={"customer": "c-17", "limit": 5}'


@dataclass(frozen=True)
class Server:
    """One server of the comparison.

    Attributes:
        name: in the head of its column.
        about: how it is set up, with versions.
        foil: its program beside this file; None for the example of this repository.
        has_issuer: whether it is told whom to trust.
    """

    name: str
    about: str
    foil: str | None
    has_issuer: bool = True


def _of(*names: str) -> str:
    return ", ".join(f"{name} {version(name)}" for name in names)


SERVERS = (
    Server(
        "SDK, open", f"{_of('mcp')}, as its first page shows; no authorization", "foil_sdk_open.py", False
    ),
    Server(
        "SDK, verifier",
        f"{_of('mcp', 'PyJWT')}: `AuthSettings` with issuer, resource, a required scope and "
        "`validate_token_resource`; the verifier, which the SDK leaves to the team, is PyJWT's own example, "
        "with audience and issuer given",
        "foil_sdk_verifier.py",
    ),
    Server(
        "fastmcp",
        f"{_of('fastmcp', 'mcp')}: `JWTVerifier` with issuer, audience and algorithm in "
        "`RemoteAuthProvider`, a scope on the tool, strict input validation, masked errors, "
        "Host and Origin protection",
        "foil_fastmcp.py",
    ),
    Server("launchworthy", f"{_of('launchworthy', 'mcp')}: the example `orders` of this repository", None),
)


@contextmanager
def standing(server: Server) -> Iterator[tuple[str, str, str]]:
    """Start a server; yields its URL, an issuer, and what may be called."""
    if server.foil is not None:
        with running(server.foil, with_issuer=server.has_issuer) as foil:
            yield foil.url, foil.issuer.issuer, ADD
        return
    project = TestedProject.read(EXAMPLE)
    with (
        TemporaryDirectory() as folder,
        project.world(Path(folder)) as world,
        world.server(project.package, PYTHONPATH=str(EXAMPLE / "src")) as process,
    ):
        process.wait_ready()
        yield world.url, world.issuer.issuer, FIND_ORDERS


def report_of(server: Server) -> Report:
    """Probe it as anybody would."""
    with standing(server) as (url, issuer, tool):
        arguments = ["probe", url, "--issuer", issuer, "--tool", tool, "--format", "json", "--rate", "10000"]
        done = CliRunner().invoke(app, arguments)
    return Report.model_validate_json(done.stdout)


def wrong_cases(report: Report) -> tuple[str, ...]:
    """The cases that came out wrong in some revision, in the order of the run."""
    return tuple(dict.fromkeys(each.case for each in report.of(Result.WRONG)))


def page(reports: Sequence[Report], day: str) -> str:
    """The whole document."""
    return "\n".join(_lines(reports, day)) + "\n"


_HEAD = """# What the probe sees on servers that are set up differently

Seen on {day}, with every server on one machine and one simulated issuer beside each.
This page is written by a program from the probe's reports.
A test turns red as soon as a server no longer does what stands here, also where it has improved.

Each case is a good request with one thing changed, sent beside the same request without the change.
What is right is what the sources of the case say (`launchworthy explain CASE`).
Rules of our own that no standard asks of others are not asked of others.
A server may be safe in ways that no request from outside shows.
A team can add what a library leaves to it.
The last column is this project's own example, and was built with these cases at hand.
It shows that all of them can be right at once.

## The servers

| name | set up as |
|---|---|"""
_COUNTS = """
## Cases that differ from what their sources say

How many differ, of those that could be run in either revision.
A dot stands where none could: there was no token to change, or no such feature.
"""
_FOOT = """
## See for yourself

`python3 noxfile.py -s interop-foils` starts the servers of `tests/interop/foils`, probes them and compares.
With `-- --write` it writes this page anew.
For a server of your own: `launchworthy probe URL` ([guide](guides/probe.md))."""


def _lines(reports: Sequence[Report], day: str) -> Iterator[str]:
    names = " | ".join(server.name for server in SERVERS)
    yield _HEAD.format(day=day)
    for server in SERVERS:
        yield f"| {server.name} | {server.about} |"
    yield _COUNTS
    yield f"| family | {names} |"
    yield f"|---|{'---:|' * len(SERVERS)}"
    for family in dict.fromkeys(family for report in reports for family in report.families):
        yield f"| {family} | {' | '.join(_cell(report, family) for report in reports)} |"
    yield f"| **all** | {' | '.join(_cell(report, None) for report in reports)} |"
    yield "\n## Which ones, and what was seen\n"
    yield f"| case | what was sent or read | {names} |"
    yield f"|---|---|{'---|' * len(SERVERS)}"
    titles = {each.case: each.title for report in reports for each in report.findings}
    order = dict.fromkeys(case for report in reports for case in wrong_cases(report))
    for case in sorted(order, key=list(titles).index):
        yield f"| `{case}` | {titles[case]} | {' | '.join(_seen(report, case) for report in reports)} |"
    yield _FOOT


def _cell(report: Report, family: str | None) -> str:
    ran = {
        each.case: False
        for each in report.findings
        if _counts(each, family) and each.result is not Result.NOT_RUN
    }
    for each in report.of(Result.WRONG):
        if _counts(each, family):
            ran[each.case] = True
    return f"{sum(ran.values())} of {len(ran)}" if ran else "·"


def _counts(finding: Finding, family: str | None) -> bool:
    return family is None or finding.family == family


def _seen(report: Report, case: str) -> str:
    findings = [each for each in report.findings if each.case == case]
    wrong = [each for each in findings if each.result is Result.WRONG]
    if not wrong:
        return "right" if any(each.result is Result.RIGHT for each in findings) else "·"
    revisions = [each.revision for each in wrong if each.revision is not None]
    only = f" ({revisions[0]})" if len(revisions) == 1 and len(report.revisions) > 1 else ""
    return f"{_PORT.sub('127.0.0.1', wrong[0].wrong[0])}{only}"


_PORT = re.compile(r"127\.0\.0\.1:[0-9]+")


def known() -> dict[str, list[str]]:
    """By the name of a server: the cases that it is known to get wrong."""
    return json.loads((Path(__file__).parent / "known.json").read_text())


def main() -> None:
    reports = [report_of(server) for server in SERVERS]
    PAGE.write_text(page(reports, time.strftime("%Y-%m-%d", time.gmtime())), encoding="utf-8")
    found = {server.name: wrong_cases(report) for server, report in zip(SERVERS, reports, strict=True)}
    (Path(__file__).parent / "known.json").write_text(json.dumps(found, indent=1) + "\n")
    sys.stdout.write(f"{PAGE}\n")


if __name__ == "__main__":
    main()
