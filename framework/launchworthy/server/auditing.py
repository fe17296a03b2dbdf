"""How is the audit of a server opened, bound, anchored, kept small and ended? What its stages need of it."""

import asyncio
import ssl
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path

from launchworthy.audit import ArgumentRedactor, AuditUnwritable, events
from launchworthy.audit.anchor_sinks import Anchor, FileAnchor, PostedAnchor, StdoutAnchor
from launchworthy.audit.anchored import Anchored
from launchworthy.audit.cursor import Position, shipped
from launchworthy.audit.heartbeat import keep
from launchworthy.audit.previous import FILE_NAME
from launchworthy.audit.retention import Expired, days, expired
from launchworthy.audit.spool import waiting_bytes
from launchworthy.audit.stream import AuditStream
from launchworthy.server.own_keys import follow
from launchworthy.server.parts import Parts
from launchworthy.settings import RingKey
from launchworthy.vocabulary import ProblemError

SPOOL_SECONDS = 5.0
SWEEP_SECONDS = 3600.0
ANCHOR_SECONDS = 5.0
"""How long the end of a server waits for an anchor."""
_RELEASED_AT = 0.9


def open_audit(parts: Parts) -> None:
    """Open the stream, have it looked after, and see that its end is written.

    Raises:
        AuditUnwritable: the directory, the disk or the anchor cannot be used.
    """
    settings = parts.settings.audit
    anchored = Anchored(settings.directory)
    parts.stack.callback(_save, anchored, settings.directory)
    anchors = _anchors(parts, anchored)
    for anchor in anchors:
        parts.stack.callback(anchor.close)
    stream = AuditStream.open(
        settings.directory,
        source=None,
        clock=lambda: int(parts.surroundings.clock() * 1_000_000_000),
        anchor=partial(_tell_all, anchors),
    )
    parts.stack.callback(_close_audit, stream)
    parts.audit = stream
    parts.keep(keep(stream), "audit")
    parts.keep(_keep_anchored(anchored, settings.directory), "audit-anchored")
    parts.anchored = anchored


async def bind_audit(parts: Parts) -> None:
    """Bind the audit stream's key to the identity: before this nothing may be served."""
    subject = parts.identity.status().subject
    if subject is None:
        raise RuntimeError("an identity that has started has a subject")
    await parts.audit.bind_with(parts.identity, subject)


def framework_keys(parts: Parts) -> None:
    """Take the audit's HMAC key, and follow its file; without one, a key that ends with the process."""
    ring = parts.own_keys.audit
    if ring is None:
        parts.redactor = ArgumentRedactor.ephemeral(parts.audit.stream_id)
        return
    redactor = parts.redactor = ArgumentRedactor(ring.newest.material, ring.newest.kid)

    def take(newest: RingKey) -> None:
        redactor.use(newest.material, newest.kid)

    parts.keep(follow(ring, what="the audit's key", take=take), "audit-key")


def keep_in_order(parts: Parts) -> None:
    """What is done beside the calls: a spool that stays small."""
    settings = parts.settings.audit
    if settings.spool_mib is not None:
        watched = _watch_spool(parts.audit, settings.directory, settings.spool_mib << 20)
        parts.keep(watched, "audit-spool")
        parts.keep(_sweep(parts), "audit-retention")


def _anchors(parts: Parts, anchored: Anchored) -> tuple[Anchor, ...]:
    """Where checkpoints go; beside a file or a URL they are printed as well, which costs nothing.

    Raises:
        AuditUnwritable: the file cannot be opened.
    """
    settings = parts.settings.audit
    if settings.anchor == "none":
        return ()
    if settings.anchor_file is not None:
        try:
            file = FileAnchor(settings.anchor_file, kept=anchored.note)
        except OSError as error:
            raise AuditUnwritable(
                f"the anchor `{settings.anchor_file}` cannot be opened: {error.strerror}"
            ) from None
        return (StdoutAnchor(), file)
    if settings.anchor_url is not None:
        from launchworthy.audit.sinks.posted import poster  # noqa: PLC0415 - a client that most do not need

        post = poster(settings.anchor_url, tls=ssl.create_default_context())
        return (StdoutAnchor(), PostedAnchor(post, kept=anchored.note, seconds=ANCHOR_SECONDS))
    return (StdoutAnchor(),)


def _tell_all(anchors: tuple[Anchor, ...], note: str) -> None:
    """Give every anchor the note; one that fails keeps it from none of the others.

    Raises:
        OSError, ValueError: the last of those that failed.
    """
    failure: OSError | ValueError | None = None
    for anchor in anchors:
        try:
            anchor(note)
        except (OSError, ValueError) as error:
            failure = error
    if failure is not None:
        raise failure


async def _keep_anchored(anchored: Anchored, directory: Path) -> None:
    """Keep what the anchors have taken, for the next start."""
    while True:
        await asyncio.sleep(SPOOL_SECONDS)
        _save(anchored, directory)


def _save(anchored: Anchored, directory: Path) -> None:
    with suppress(OSError):
        anchored.save(present=_streams(directory))


async def _watch_spool(stream: AuditStream, directory: Path, limit: int) -> None:
    """Refuse calls while too much waits for a shipper, rather than fill the disk or lose records."""
    held = False
    while True:
        await asyncio.sleep(SPOOL_SECONDS)
        with suppress(OSError, AuditUnwritable):
            waiting = await asyncio.to_thread(lambda: waiting_bytes(directory, _shipped(directory)))
            full = waiting > (limit * _RELEASED_AT if held else limit)
            if full != held:
                mebibytes = waiting >> 20
                stream.hold(f"{mebibytes} MiB of audit wait for the shipper" if full else None)
                held = full


async def _sweep(parts: Parts) -> None:
    """Delete closed files after their time, now and once an hour; each deletion is a record first."""
    while True:
        with suppress(OSError, AuditUnwritable):
            await delete_expired(parts)
        await asyncio.sleep(SWEEP_SECONDS)


async def delete_expired(parts: Parts) -> int:
    """Delete every file whose time is over and that shipper and anchor have passed; how many that were.

    Raises:
        OSError, AuditUnwritable: one could not be recorded or deleted.
    """
    settings, retention = parts.settings.audit, parts.manifests.server.data.audit_retention.total_seconds()
    seconds = min(settings.keep if settings.keep is not None else retention, retention)

    def find() -> tuple[Expired, ...]:
        return tuple(
            expired(
                settings.directory,
                now=parts.surroundings.clock(),
                keep_seconds=seconds,
                shipped=_shipped(settings.directory),
                anchored=parts.anchored.sizes,
            )
        )

    found = await asyncio.to_thread(find)
    for each in found:
        told = {name: value for name, value in asdict(each).items() if name not in ("name", "stream")}
        event = events.StreamDeleted(deleted=each.stream, retention_days=days(seconds), **told)
        await parts.audit.delete(event, each.name)
    return len(found)


def _shipped(directory: Path) -> dict[str, Position]:
    """What every shipper has passed; a cursor that cannot be read says that nothing was."""
    try:
        return dict(shipped(directory))
    except ProblemError:
        return {}


def _streams(directory: Path) -> frozenset[str]:
    found = (FILE_NAME.fullmatch(path.name) for path in directory.iterdir())
    return frozenset(name["stream"] for name in found if name is not None)


def _close_audit(stream: AuditStream) -> None:
    try:
        stream.close()
    except AuditUnwritable:
        return  # the file is as a crash would have left it; `audit verify` says so
