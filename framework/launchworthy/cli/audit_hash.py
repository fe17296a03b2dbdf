"""Which digest does a value have in the audit, and where does it stand? `audit hash`.

Whoever holds the key can find out short values, so each look-up is a record, written before the answer is
printed: in a stream of its own, in the directory that is named, whose key and last checkpoint are printed.
The value comes by stdin: an argument of a command is in the shell's history and in the list of processes.
"""

import getpass
import json
import platform
import sys
import time
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from launchworthy.cli.audit_input import records_of
from launchworthy.cli.ending import NO, YES, end, undecided_on_problems
from launchworthy.vocabulary import Environment, Problem, ProblemError

if TYPE_CHECKING:
    from launchworthy.audit import ArgumentRedactor

_RESERVE = 4096
_MAX_VALUE = 16 * 1024 * 1024


class Domain(StrEnum):
    """What kind of value is looked up."""

    ARGUMENT = "argument"
    RESULT = "result"
    TOKEN = "token"  # noqa: S105 - the `jti` of one


def hash_(
    target: Annotated[str, typer.Argument(help="The tool, prompt or resource; of a token its issuer.")],
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Audit files or directories to look in; none: print only.")
    ] = None,
    *,
    key_file: Annotated[Path, typer.Option("--key-file", help="The key of the audit's digests.")],
    environment: Annotated[
        Environment, typer.Option("--environment", help="Whose audit it is: each has keys of its own.")
    ],
    why: Annotated[str, typer.Option("--why", help="What for, such as an incident; it is recorded.")],
    log: Annotated[Path, typer.Option("--log", help="The directory in which this use is recorded.")],
    argument: Annotated[str | None, typer.Option("--argument", help="The argument's name.")] = None,
    domain: Annotated[Domain, typer.Option("--domain", help="What the value is.")] = Domain.ARGUMENT,
    as_json: Annotated[
        bool, typer.Option("--json", help="The value on stdin is JSON; else it is text.")
    ] = False,
) -> None:
    """Find a value that the audit shows as a digest only; the value is read from stdin.

    0 it stands there (or only its digest was asked for), 1 it does not, 2 could not be decided.
    """
    with undecided_on_problems():
        if (argument is not None) != (domain is Domain.ARGUMENT):
            raise ProblemError(_problem("an argument has a name, and nothing else has", "--argument NAME"))
        value = _value()
        digests = tuple(
            _digest(each, domain, target, argument, value=value, as_json=as_json)
            for each in _redactors(key_file, environment)
        )
        for digest in digests:
            _record(log, digest, domain=domain, target=target, argument=argument, why=why)
        for digest in digests:
            typer.echo(digest)
        if not paths:
            end(YES)
        found = False
        for line in _where(paths, frozenset(digests)):
            found = True
            typer.echo(line)
    end(YES if found else NO)


def _redactors(key_file: Path, environment: Environment) -> "tuple[ArgumentRedactor, ...]":
    """One for each key of the file: older records have older digests."""
    from launchworthy.audit.redaction import HMAC_PURPOSE, ArgumentRedactor
    from launchworthy.settings import KeyRing

    ring = KeyRing(key_file, purpose=HMAC_PURPOSE, environment=environment)
    return tuple(ArgumentRedactor(each.material, each.kid) for each in ring.keys)


def _value() -> bytes:
    value = sys.stdin.buffer.read(_MAX_VALUE + 1)
    if not value or len(value) > _MAX_VALUE:
        raise ProblemError(_problem("no value came by stdin, or too long a one", "printf %s VALUE | …"))
    return value.removesuffix(b"\n")


def _digest(
    redactor: "ArgumentRedactor",
    domain: Domain,
    target: str,
    argument: str | None,
    *,
    value: bytes,
    as_json: bool,
) -> str:
    try:
        match domain:
            case Domain.RESULT:
                return redactor.result_digest(target, value)
            case Domain.TOKEN:
                return redactor.token_id(target, value.decode())
            case Domain.ARGUMENT:
                said = json.loads(value) if as_json else value.decode()
                return redactor.argument_digest(target, argument or "", said)
    except (ValueError, RecursionError):
        raise ProblemError(_problem("the value is no text, or no JSON", "say --json for JSON")) from None


def _record(log: Path, digest: str, *, domain: Domain, target: str, argument: str | None, why: str) -> None:
    """Write that somebody asked, and wait for the disk; without that there is no answer."""
    from launchworthy.audit import AuditUnwritable
    from launchworthy.audit.anchors import anchor_line
    from launchworthy.audit.events import AuditHashUsed
    from launchworthy.audit.stream import AuditStream

    notes: list[str] = []
    try:
        stream = AuditStream.open(
            log, source=None, clock=time.time_ns, reserve_bytes=_RESERVE, anchor=notes.append
        )
        stream.record(
            AuditHashUsed(
                who=getpass.getuser(),
                host=platform.node(),
                kid=digest.partition(":")[0],
                digest=digest,
                domain=domain.value,
                target=target,
                argument=argument,
                why=why,
            )
        )
        stream.close(reason="done")
    except AuditUnwritable as error:
        problem = Problem(
            reason="audit-unwritable",
            where=str(log),
            what=f"this use cannot be recorded: {error}",
            fix=("name a directory of this user's alone, with room",),
        )
        raise ProblemError(problem) from None
    typer.echo(anchor_line(notes[-1]), err=True)


def _where(paths: list[Path], digests: frozenset[str]) -> Iterator[str]:
    from launchworthy.audit.story_text import render_record

    for record in records_of(paths):
        if digests.intersection(_texts(record.data)):
            yield render_record(record)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)


def _problem(what: str, fix: str) -> Problem:
    return Problem(reason="bad-look-up", what=what, fix=(fix,))
