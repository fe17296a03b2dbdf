"""The audit under attack: a full disk, hostile text, and files that were changed afterwards."""

import base64
import json
import resource
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from launchworthy.audit.reading import audit_files
from launchworthy.audit.verdict import State
from launchworthy.audit.verification import verify_paths
from launchworthy.manifest import ArgumentClass
from launchworthy.probe.draft import Draft, good_draft
from launchworthy.probe.probed import MODERN, NAMED_BY
from launchworthy.promotion.every_text import every_text
from launchworthy.promotion.finding import Assertion, ControlId
from launchworthy.promotion.registry import registry
from launchworthy.promotion.rehearsals.seen import (
    OK,
    Seen,
    good,
    retry_after,
    saw,
    sent,
    status,
    told,
    twin,
    within,
)
from launchworthy.promotion.rehearsals.stage import Scene, Stage
from launchworthy.promotion.rehearsals.targets import as_target, declared

_UNAVAILABLE = 503
_HOSTILE = 'probe\r\n{"type":"launchworthy.tool.outcome.v1"}\x1b[31m\x00\u202e'
_TELLING = 8
"""Characters from which on a value is found by chance no more."""
_CANARY = "probe-canary-4d1f0b7e"


@registry.rehearsal("AUD-03", "AUD-04")
def the_audit_is_attacked(stage: Stage) -> Iterator[Seen]:
    """Hostile text first, then no room to write, then the files are changed."""
    with stage.scene() as scene:
        yield from _hostile_text(scene)
        yield from _what_is_not_clear(stage, scene)
        yield twin("AUD-03", good(scene.prober))
        yield from _no_room(scene)
        directory = scene.world.audit_directory
    yield from _changed_files(stage, directory)


def _hostile_text(scene: Scene) -> Iterator[Seen]:
    """Line ends, escape sequences and whole records in whatever a caller may write stay one record."""
    before = len(scene.records())

    def unknown(draft: Draft) -> None:
        key = NAMED_BY[draft.target.method]
        draft.message["params"] = {**draft.message["params"], key: _HOSTILE}
        encoded = base64.b64encode(_HOSTILE.encode()).decode()
        draft.header("mcp-name", f"=?base64?{encoded}?=" if draft.revision == MODERN else None)

    def argument(draft: Draft) -> None:
        draft.message["params"] = {
            **draft.message["params"],
            "arguments": {_HOSTILE: _CANARY, "probe": _CANARY},
        }

    answers = [sent(scene.prober, unknown), sent(scene.prober, argument)]
    raw = b"".join(path.read_bytes() for path in audit_files(scene.world.audit_directory))
    control = [byte for byte in raw.replace(b"\n", b"") if byte < 0x20]  # noqa: PLR2004 - control characters
    calls = [each.answer.call for each in answers if each.answer is not None]
    after = [record for record in scene.records()[before:] if record.data.get("call") in calls]
    unsafe = [text for record in after for text in every_text(record.data) if not text.isprintable()]
    yield saw(
        "AUD-04",
        not control and not unsafe and len(after) == len(answers),
        "hostile text stays within one record each, and shows as what it is",
        f"hostile text left {len(after)} records, {len(control)} control characters in the file and "
        f"{len(unsafe)} texts that do not print as they are",
        requests=len(answers),
    )
    yield saw(
        "AUD-04",
        _CANARY not in scene.said(),
        "an argument that nobody declared is not recorded",
        "the value of an argument that nobody declared was recorded",
    )
    yield twin("AUD-04", good(scene.prober))


def _what_is_not_clear(stage: Stage, scene: Scene) -> Iterator[Seen]:
    """The examples of arguments that are not to be recorded as they are: called with, and in no record."""
    hidden: dict[str, str] = {}
    for manifest in declared(stage.project):
        for name, value in (manifest.example or {}).items():
            if manifest.argument_class(name) is not ArgumentClass.CLEAR and len(str(value)) >= _TELLING:
                hidden[f"{name} of {manifest.name}"] = str(value)
                draft = good_draft(scene.probed, as_target(manifest), scene.probed.revisions[0], 1)
                draft.scopes = stage.scopes
                scene.prober.send(draft)
    said = scene.said()
    shown = [name for name, value in hidden.items() if value in said]
    yield saw(
        "AUD-04",
        not shown,
        f"{len(hidden)} arguments that are not `clear` were sent, and none is in the audit as it was",
        f"not `clear`, and in the audit all the same: {', '.join(shown)}",
        requests=len(hidden),
    )


def _no_room(scene: Scene) -> Iterator[Seen]:
    """No call goes through that cannot be recorded; afterwards they do again."""
    process = psutil.Process(scene.process.pid)
    size = max(path.stat().st_size for path in audit_files(scene.world.audit_directory))
    soft, hard = process.rlimit(resource.RLIMIT_FSIZE)
    process.rlimit(resource.RLIMIT_FSIZE, (size, hard))
    seen = [good(scene.prober) for _ in range(3)]
    ran = sum(each.runs for each in seen)
    yield saw(
        "AUD-03",
        ran == 0 and all(status(each) == _UNAVAILABLE and retry_after(each) is not None for each in seen),
        f"with no room to write, nothing is done: {told(seen[-1])}",
        f"with no room to write, {ran} calls ran: {', '.join(told(each) for each in seen)}",
        requests=len(seen),
    )
    code, body = scene.process.readiness()
    yield saw(
        "AUD-03",
        code == _UNAVAILABLE and "audit" in str(body.get("reasons")),
        "and it says that it is not ready",
        f"and /readyz says {code} {body}",
    )
    process.rlimit(resource.RLIMIT_FSIZE, (soft, hard))
    took = within(15.0, lambda: status(good(scene.prober)) == OK)
    yield saw(
        "AUD-03",
        took is not None,
        f"with room again it serves after {took or 0:.1f} s, not restarted",
        "with room again it does not serve within 15 s",
        requests=1,
    )


def _changed_files(stage: Stage, directory: Path) -> Iterator[Seen]:
    """The files verify as they are; changed in any of four ways they do not."""
    paths = audit_files(directory)
    key = _key(paths[0])
    untouched = verify_paths(paths, require_sealed=False, pinned_keys=(key,))
    states = {stream.state for stream in untouched.streams}
    intact = states <= {State.INTACT_SEALED, State.INTACT_OPEN} and bool(states)
    doubts = "; ".join(str(stream.damage or stream.doubt) for stream in untouched.streams)
    yield (
        ControlId("AUD-03"),
        Assertion(
            holds=intact,
            what="its files verify" if intact else f"its own files do not verify: {doubts}",
            twin=True,
        ),
    )
    changes: tuple[tuple[str, Callable[[list[bytes]], list[bytes]]], ...] = (
        ("one byte changed", _flip),
        ("a record left out", lambda lines: lines[:5] + lines[6:]),
        ("two records swapped", lambda lines: [*lines[:4], lines[5], lines[4], *lines[6:]]),
        ("a record written in", lambda lines: [*lines[:5], lines[4], *lines[5:]]),
    )
    for name, change in changes:
        copy = stage.scratch("audit")
        for path in paths:
            shutil.copy(path, copy)
        file = copy / paths[0].name
        file.write_bytes(b"".join(change(file.read_bytes().splitlines(keepends=True))))
        found = verify_paths((file,), require_sealed=False, pinned_keys=(key,))
        tampered = any(stream.state is State.TAMPERED for stream in found.streams)
        yield saw("AUD-03", tampered, f"{name}: seen", f"{name}: the audit still verifies")


def _flip(lines: list[bytes]) -> list[bytes]:
    line = lines[3]
    middle = line.index(b'"data":{') + 12
    changed = line[:middle] + (b"A" if line[middle : middle + 1] != b"A" else b"B") + line[middle + 1 :]
    return [*lines[:3], changed, *lines[4:]]


def _key(path: Path) -> str:
    """The key that the stream names in its first record."""
    with path.open("rb") as file:
        return str(json.loads(file.readline())["data"]["key"])
