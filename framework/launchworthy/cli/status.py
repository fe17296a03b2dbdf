"""How is the server here? `status`: what it wrote about itself a moment ago."""

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from launchworthy.cli.choices import Output
from launchworthy.cli.ending import NO, YES, end, undecided_on_problems
from launchworthy.vocabulary import Problem, ProblemError

STALE_SECONDS = 10
_MAX_FILE = 4 * 1024 * 1024


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(short_help="Print how the server here is.")(status)


def status(
    file: Annotated[
        Path | None, typer.Option("--file", help="Its status file; found by the settings if not said.")
    ] = None,
    output: Annotated[Output, typer.Option("--format", help="How to print it.")] = Output.TEXT,
) -> None:
    """Print owner, identity, keys, audit, record, what is stopped and lent; 1 where it is not ready."""
    with undecided_on_problems():
        said = _read(file if file is not None else _place())
    typer.echo(json.dumps(said) if output is Output.JSON else "\n".join(_lines(said)))
    end(YES if said["ready"] is True else NO)


def _place() -> Path:
    from launchworthy.cli.own_server import own_settings
    from launchworthy.server.status import STATUS_FILE

    return own_settings(os.environ).data_directory / STATUS_FILE


def _read(path: Path) -> dict[str, Any]:
    from launchworthy.server.status import SCHEMA

    try:
        with path.open("rb") as stream:
            said = json.loads(stream.read(_MAX_FILE))
    except OSError as error:
        raise ProblemError(_nobody(path, f"cannot be read: {error.strerror}")) from None
    except ValueError:
        raise ProblemError(_nobody(path, "is no JSON")) from None
    if not isinstance(said, dict) or said.get("schema") != SCHEMA:
        raise ProblemError(_nobody(path, "is no status of this release"))
    age = int(time.time()) - int(said["at"])
    if age > STALE_SECONDS:
        raise ProblemError(_nobody(path, f"was written {age} s ago, and is written every two seconds"))
    return said


def _nobody(path: Path, what: str) -> Problem:
    fix = (
        "no server runs here, it hangs, or its data directory cannot be written",
        "/readyz on `server.health_bind` answers without it",
    )
    return Problem(reason="no-status", where=str(path), what=what, fix=fix)


def _lines(said: dict[str, Any]) -> list[str]:
    identity, audit, record = said["identity"], said["audit"], said["record"]
    control, leases = said["control"], said["leases"]
    lines = [
        f" {said['name']}  {said['environment']}  {'ready' if said['ready'] else 'NOT READY'}"
        + (f": {', '.join(said['reasons'])}" if said["reasons"] else ""),
        "",
        f" resource  {said['resource']}",
        f" owner     {said['owner']} · on call {said['on_call']} · {said['runbook']}",
        f" identity  {identity['subject'] or 'none'}  {identity['phase']}"
        f" until {_when(identity['not_after'])}" + (f"  {identity['detail']}" if identity["detail"] else ""),
    ]
    lines += [
        f" keys      {each['issuer']}  {_keys(each)}" + (f"  {each['detail']}" if each["detail"] else "")
        for each in said["keys"]
    ]
    lines.append(
        f" audit     {'writable' if audit['writable'] else 'CANNOT BE WRITTEN'}  stream {audit['stream']}"
        f" in {audit['directory']}"
    )
    lines.append(
        " record    none, and none is needed here"
        if record is None
        else f" record    {record['sha256'][:12]} by {record['signer']}, {_until(record)}"
    )
    lines += [f" control   {problem}" for problem in control["problems"]]
    lines += [
        f" {each['action']}      {' '.join(each['what'])}  until {_when(each['until'])}  by {each['who']}:"
        f" {each['why']}  ({each['id']}, {each['source']})"
        for each in control["entries"]
    ] or [" stopped   nothing"]
    waiting = ", ".join(leases["still_to_be_revoked"])
    lines.append(
        f" leases    {leases['calls_that_hold_some']} calls hold some"
        + (f"; still to be revoked: {waiting}" if waiting else "")
    )
    return lines


def _keys(each: dict[str, Any]) -> str:
    if not each["usable"]:
        return "NOT USABLE"
    return "fresh" if each["fresh"] else "stale, usable"


def _until(record: dict[str, Any]) -> str:
    return f"run until {_when(record['run_until'])}" + (": renew it" if record["ends_soon"] else "")


def _when(seconds: int | None) -> str:
    return "—" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
