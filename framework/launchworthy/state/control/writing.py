"""How is an entry of the control list written? The whole file anew, beside the old one, then in its place.

A file that is half-written would be read by every replica within a second; a renamed one is whole or not
there. What a list cannot say is refused before anything is written, and a list that is broken already is not
written over: what it was meant to stop would be lost.
"""

import json
import os
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from launchworthy.state.control.entries import Action, Entry, parse_control
from launchworthy.state.control.reading import read_control_file
from launchworthy.vocabulary import Problem, ProblemError

_HEAD = """\
# What is stopped, denied or lifted now. Each server reads this file every second; an empty one does nothing.
# Written by `launchworthy control`; what each entry may say: launchworthy explain control-file.
"""
_FILE_MODE = 0o644


def read_entries(path: Path) -> tuple[Entry, ...]:
    """The entries of a file.

    Raises:
        ProblemError: it is not there, or says what a list cannot.
    """
    return parse_control(str(path), read_control_file(path), source="file")


def read_request(path: Path) -> Entry:
    """The one grant of a request.

    Raises:
        ProblemError: the file cannot be read, or is no request.
    """
    entries = read_entries(path)
    if len(entries) != 1 or entries[0].action is not Action.GRANT:
        what = f"holds {len(entries)} entries, and a request is one grant"
        fix = ("launchworthy control request FILE …",)
        raise ProblemError(Problem(reason="no-grant-request", where=str(path), what=what, fix=fix))
    return entries[0]


def write_entries(path: Path, entries: Sequence[Entry]) -> None:
    """Put these entries in place of what a file says.

    Raises:
        ProblemError: they are no list, or nobody lets this process write there.
    """
    text = render_entries(entries)
    parse_control(str(path), text.encode(), source="file")
    try:
        descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(descriptor)
            Path(beside).chmod(path.stat().st_mode & 0o777 if path.exists() else _FILE_MODE)
            Path(beside).replace(path)
        except BaseException:
            Path(beside).unlink(missing_ok=True)
            raise
    except OSError as error:
        what = f"cannot be written here: {error.strerror}"
        fix = (
            "a server must not be able to write its own list: write it where the platform keeps it,",
            "launchworthy control … --file COPY, and mount the copy (RUNBOOK.md)",
        )
        raise ProblemError(
            Problem(reason="control-file-read-only", where=str(path), what=what, fix=fix)
        ) from None


def render_entries(entries: Sequence[Entry]) -> str:
    """The text of a file with these entries."""
    return "\n".join((_HEAD, *(_table(entry) for entry in entries)))


def _table(entry: Entry) -> str:
    lines = [f"[[{entry.action.value}]]", f"id = {_text(entry.id)}"]
    if entry.targets:
        lines.append(f"targets = {_texts(entry.targets)}")
    if entry.name is not None:
        kind, issuer, value = entry.name
        lines += [f"issuer = {_text(issuer)}", f"{kind} = {_text(value)}"]
    lines += [
        f"who = {_text(entry.who)}",
        f"why = {_text(entry.why)}",
        f"since = {_instant(entry.since)}",
        f"until = {_instant(entry.until)}",
    ]
    if entry.grant is not None:
        grant = entry.grant
        lines += [f"{name} = {_text(getattr(grant, name))}" for name in _OF_GRANT]
        lines += [f"lifts = {_texts(grant.lifts)}", f"approvals = {_texts(grant.approvals)}"]
    return "\n".join(lines) + "\n"


_OF_GRANT = ("server", "issuer", "subject", "client", "incident")


def _texts(values: Sequence[str]) -> str:
    return f"[{', '.join(_text(value) for value in values)}]"


def _text(value: str) -> str:
    """A TOML basic string: JSON's escapes are TOML's, but for pairs of surrogates."""
    return json.dumps(value, ensure_ascii=False)


def _instant(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
