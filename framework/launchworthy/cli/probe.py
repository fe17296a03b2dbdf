"""What does a running MCP server accept that it must not? `probe`, for any server, ours or not."""

import os
import ssl
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from launchworthy.cli.check import show_progress
from launchworthy.cli.ending import INTERRUPTED, NO, UNDECIDED, YES, end, undecided_on_problems
from launchworthy.vocabulary import Problem, ProblemError

if TYPE_CHECKING:
    from launchworthy.probe.documents import Documents
    from launchworthy.probe.issuing import Issuer
    from launchworthy.probe.probing import Asked, FindIssuer
    from launchworthy.probe.report import Report


class Shown(StrEnum):
    """How the report is printed."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    JUNIT = "junit"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(short_help="Find out what any running MCP server accepts that it must not.")(probe)


def probe(
    url: Annotated[str, typer.Argument(help="The MCP endpoint.")],
    token_command: Annotated[
        str | None,
        typer.Option(
            metavar="CMD",
            help="Prints one token. Run only if the server's metadata name URL as its resource. "
            "PROBE_RESOURCE and, where it matters, PROBE_SCOPE say what for.",
        ),
    ] = None,
    issuer: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="A simulated issuer on this machine: `launchworthy dev` says which."
        ),
    ] = None,
    tool: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[={…}]", help="A tool that may be called, with these arguments; none is else."
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CASE|FAMILY", help="A case (dates.no-end) or a family (dates); all if none is named."
        ),
    ] = None,
    shown: Annotated[Shown, typer.Option("--format", help="How to print it.")] = Shown.TEXT,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where it goes; stdout if not said.")
    ] = None,
    rate: Annotated[float, typer.Option(min=0.1, max=10_000, help="Requests a second.")] = 20.0,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Requests in all.")] = 2000,
    ca: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Certificates to believe instead of the system's.")
    ] = None,
) -> None:
    """Send good requests with one thing changed, and say what was accepted that must not be.

    Nothing is changed at the server, and no tool is called but those that are named.
    """
    from launchworthy.probe.probing import Probing

    with undecided_on_problems(), ExitStack() as stack:
        _require_folder(output)
        asked = stack.enter_context(
            _asked(
                url,
                tuple(tool or ()),
                token_command,
                issuer,
                ca,
                only=tuple(only or ()),
                rate=rate,
                limit=limit,
            )
        )
        probing = Probing(asked=asked)
        interrupted = False
        try:
            probing.run()
        except KeyboardInterrupt:
            interrupted, probing.ended = True, "it was interrupted"
        show_progress("", 1, 1)
        report = probing.report()
        code = INTERRUPTED if interrupted else _code(report)
        _show(report, shown, output, code)
    end(code)


@contextmanager
def _asked(
    url: str,
    tools: tuple[str, ...],
    token_command: str | None,
    issuer: str | None,
    ca: Path | None,
    *,
    only: tuple[str, ...],
    rate: float,
    limit: int,
) -> "Iterator[Asked]":
    from launchworthy.probe.address import read_tool, read_url
    from launchworthy.probe.probing import Asked, read_cases
    from launchworthy.probe.remote_issuer import RemoteIssuer
    from launchworthy.probe.wire import Bounds

    if token_command is not None and issuer is not None:
        what = "tokens come from a command or from an issuer, not from both"
        raise ProblemError(Problem(reason="probe-tokens", what=what, fix=("leave one of the two out",)))
    resource = read_url(url)
    targets = tuple(read_tool(each) for each in tools)
    with ExitStack() as stack:
        remote = None
        if issuer is not None:
            remote = RemoteIssuer(issuer)
            stack.callback(remote.close)
        yield Asked(
            url=resource,
            tools=targets,
            tokens="issuer" if issuer is not None else ("none" if token_command is None else "command"),
            find_issuer=(lambda _: remote) if remote is not None else _by_command(token_command, resource),
            issuer=None if remote is None else remote.issuer,
            bounds=Bounds(per_second=rate, requests=limit),
            verify=believed(ca),
            progress=show_progress,
            only=read_cases(only),
        )


def _by_command(command: str | None, resource: str) -> "FindIssuer":
    """Tokens of a command, for the server that says that it is the one they are for (RFC 9728 §3.3)."""
    import time

    from launchworthy.audit.sanitiser import sanitise_label
    from launchworthy.probe.address import require_private
    from launchworthy.probe.issuing import CannotMint
    from launchworthy.probe.probing import NONE_GIVEN
    from launchworthy.probe.token_command import CommandIssuer

    if command is not None:
        require_private(resource)

    def find(said: "Documents") -> "Issuer":
        if command is None:
            raise CannotMint(NONE_GIVEN)
        if said.resource != resource:
            named = "no resource" if said.resource is None else f"`{sanitise_label(str(said.resource))}`"
            raise CannotMint(
                f"the token command was not run: the server's metadata name {named}, not the URL"
            )
        return CommandIssuer(command, resource, time.time, dict(os.environ))

    return find


def believed(ca: Path | None) -> ssl.SSLContext:
    """Whose certificates are believed: those of a file, or the system's.

    Raises:
        ProblemError: `probe-ca`.
    """
    try:
        return ssl.create_default_context(cafile=None if ca is None else str(ca))
    except (OSError, ssl.SSLError):
        what = f"`{ca}` holds no certificates that can be read"
        raise ProblemError(
            Problem(reason="probe-ca", what=what, fix=("give a PEM file of CA certificates",))
        ) from None


def _require_folder(output: Path | None) -> None:
    """See that the report can be written, before anybody is asked anything.

    Raises:
        ProblemError: `probe-output`.
    """
    if output is not None and (output.is_dir() or not os.access(output.parent, os.W_OK)):
        raise _unwritable(output, "it is a folder, or its folder is not yours")


def _unwritable(output: Path, why: str) -> ProblemError:
    what = f"`{output}` cannot be written: {why}"
    return ProblemError(
        Problem(reason="probe-output", what=what, fix=("name a file in a folder of yours that has room",))
    )


def _code(report: "Report") -> int:
    from launchworthy.probe.report import Result

    if report.of(Result.WRONG):
        return NO
    return YES if report.decided else UNDECIDED


def _show(report: "Report", shown: Shown, output: Path | None, code: int) -> None:
    from launchworthy.probe.reports.terminal import verdict

    text = _rendered(report, shown, code)
    if output is None:
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    part = output.with_name(f".{output.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(output)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise _unwritable(output, error.strerror or "it failed") from None
    typer.echo(f"{verdict(report)}   {output}")


def _rendered(report: "Report", shown: Shown, code: int) -> str:
    from launchworthy.probe.reports.rendering import report_json, report_junit, report_sarif
    from launchworthy.probe.reports.terminal import render_terminal

    match shown:
        case Shown.TEXT:
            return render_terminal(report, exit_code=code) + "\n"
        case Shown.JSON:
            return report_json(report)
        case Shown.SARIF:
            return report_sarif(report)
        case Shown.JUNIT:
            return report_junit(report)
