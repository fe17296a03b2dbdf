"""May this build go? `promote` judges, `attest` signs what was judged, `verify-record` believes neither."""

import json
import os
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from launchworthy.cli.check import open_project, show_progress
from launchworthy.cli.choices import TRUST_FILE, Promoted, TrustOption
from launchworthy.cli.ending import (
    NO,
    UNDECIDED,
    YES,
    end,
    interrupted,
    needs_extra,
    say,
    undecided_on_problems,
)
from launchworthy.cli.live import LiveOptions, run_live
from launchworthy.vocabulary import Problem, ProblemError

if TYPE_CHECKING:
    from launchworthy.promotion.result import Result

SOCKET_VARIABLE = "SPIFFE_ENDPOINT_SOCKET"


_NEXT = """
 No record yet: this machine does not hold the promoter's identity, which is right for yours.
 In CI:  launchworthy attest dist/promotion/report.json"""


class Report(StrEnum):
    """How the result is printed; files are written in any case."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"
    SARIF = "sarif"
    MARKDOWN = "markdown"
    HTML = "html"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(short_help="Judge this project by every control.")(promote)
    app.command(short_help="Sign what was judged.")(attest)
    app.command("verify-record", short_help="See whether a record counts here.")(verify_record)


def promote(
    environment: Annotated[
        Promoted, typer.Option("--environment", help="For which environment.")
    ] = Promoted.PRODUCTION,
    output: Annotated[
        Path | None, typer.Option("--output", help="Where the reports go; dist/promotion if not said.")
    ] = None,
    report: Annotated[Report, typer.Option("--format", help="What is printed.")] = Report.TEXT,
    python: Annotated[
        Path | None, typer.Option("--python", help="The interpreter of the project's environment.")
    ] = None,
    trust: TrustOption = TRUST_FILE,
    live: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Look at a deployment from outside instead; changes nothing there."),
    ] = None,
    client: Annotated[
        str | None, typer.Option(metavar="ID", help="With --live: a client that its issuer knows, or a URL.")
    ] = None,
    client_key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --live: that client's private key (P-256).")
    ] = None,
    token_command: Annotated[
        str | None, typer.Option(metavar="CMD", help="With --live: prints a token, as for `probe`.")
    ] = None,
    sign_in: Annotated[
        bool, typer.Option("--sign-in", help="With --live: you sign in for its tokens, in a browser.")
    ] = False,
    ca: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --live: certificates to believe.")
    ] = None,
) -> None:
    """Read and rehearse everything, and write dist/promotion/report.*; signs nothing."""
    needs_extra("promote", lambda: (__import__("yaml"), __import__("psutil")))
    from launchworthy.promotion import promoting

    if live is not None:
        options = LiveOptions(
            url=live,
            environment=environment.environment,
            client=client,
            client_key=client_key,
            token_command=token_command,
            sign_in=sign_in,
            ca=ca,
            trust=trust,
            output=output,
        )
        with undecided_on_problems(), interrupted():
            code = run_live(options, as_json=report is Report.JSON)
        end(code)
    with undecided_on_problems():
        given = {"client": client, "client_key": client_key, "token_command": token_command, "ca": ca}
        _only_with_live(**given, sign_in=sign_in or None)

    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    began = time.monotonic()
    with undecided_on_problems(), interrupted():
        project = open_project(environment.environment, python, trust=trust)
        unrecordable = promoting.not_recordable(project)
        if unrecordable is not None:
            say("could not decide", unrecordable)
        result = promoting.promote(project, progress=show_progress, began=began)
        folder = output or promoting.output_folder(project)
        promoting.write_reports(result, folder)
        promoting.hand_on_wheel(result, project, folder)
    if unrecordable is not None:
        code = UNDECIDED
    else:
        code = YES if result.cleared else (NO if result.failed else UNDECIDED)
    _show(result, report, code)
    end(code)


def _only_with_live(**given: object) -> None:
    """Refuse what would be ignored.

    Raises:
        ProblemError: `live-option`.
    """
    for name, value in given.items():
        if value is not None:
            what = f"--{name.replace('_', '-')} is for --live"
            raise ProblemError(
                Problem(reason="live-option", what=what, fix=("add --live URL, or leave it out",))
            )


def _show(result: "Result", report: Report, code: int) -> None:
    from launchworthy.promotion.reports.junit import render_junit
    from launchworthy.promotion.reports.markdown import render_markdown
    from launchworthy.promotion.reports.page import render_page
    from launchworthy.promotion.reports.sarif import promotion_sarif
    from launchworthy.promotion.reports.terminal import render_terminal

    match report:
        case Report.JSON:
            typer.echo(json.dumps(result.as_json(), indent=1))
        case Report.JUNIT:
            typer.echo(render_junit(result), nl=False)
        case Report.SARIF:
            typer.echo(promotion_sarif(result), nl=False)
        case Report.MARKDOWN:
            typer.echo(render_markdown(result), nl=False)
        case Report.HTML:
            typer.echo(render_page(result), nl=False)
        case Report.TEXT:
            typer.echo(render_terminal(result, exit_code=code))
            if code == YES:
                typer.echo(_NEXT)


def attest(
    report: Annotated[Path, typer.Argument(help="dist/promotion/report.json")],
    endpoint: Annotated[
        str | None, typer.Option("--endpoint", help=f"Workload API; {SOCKET_VARIABLE} if not said.")
    ] = None,
    wheel: Annotated[
        Path | None,
        typer.Option("--wheel", help="As rehearsed; the one beside the report if not said."),
    ] = None,
    identity: Annotated[
        str | None, typer.Option("--identity", help="Who signs, where the trust policy lists several.")
    ] = None,
    trust: TrustOption = TRUST_FILE,
) -> None:
    """Compute every digest anew, compare them with the report, and sign; runs no code of the project."""
    from launchworthy.promotion.attesting import attest_report

    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    try:
        attested = attest_report(
            Path.cwd(),
            report,
            wheel=wheel,
            endpoint=endpoint or os.environ.get(SOCKET_VARIABLE),
            identity=identity,
            trust_file=trust,
            environ=dict(os.environ),
            clock=time.time,
        )
    except ProblemError as error:
        for problem in error.problems:
            say("not signed", problem)
        end(NO)
    for line in attested.lines():
        typer.echo(line)
    end(YES)


def verify_record(
    path: Annotated[
        Path | None, typer.Argument(help="A project, a wheel, or an installed package; here if not said.")
    ] = None,
    trust: TrustOption = TRUST_FILE,
    environment: Annotated[
        Promoted | None, typer.Option("--environment", help="Where it should count; its own if not said.")
    ] = None,
) -> None:
    """See whether a promotion record counts for what lies here; 1 where none does."""
    from launchworthy.promotion.verifying import verify_at

    try:
        lines = verify_at(
            path or Path.cwd(),
            trust_file=trust,
            environment=environment.environment if environment is not None else None,
            environ=dict(os.environ),
            now=int(time.time()),
        )
    except ProblemError as error:
        for problem in error.problems:
            say("no record", problem)
        end(NO)
    for line in lines:
        typer.echo(line)
    end(YES)
