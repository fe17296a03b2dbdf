"""How does another process learn how this one is? A file in the data directory, written every two seconds.

`launchworthy status` reads it, by `kubectl exec` too. A file answers no requests, so nothing can be sent to
the server by it; it lies in a directory of 0700, is 0600, is renamed into place, and says nothing secret: no
token, no key, no argument. Its age says whether the server still writes it.
"""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

from launchworthy._version import __version__
from launchworthy.attestation import Subject
from launchworthy.server.parts import Parts
from launchworthy.server.readiness import Readiness
from launchworthy.server.record_dates import is_ending

SCHEMA = "urn:launchworthy:status:v1"
STATUS_FILE = "status.json"
PERIOD_SECONDS = 2.0


async def keep_status(parts: Parts) -> None:
    """Write the file, again and again; where it cannot be written, `status` says that nobody writes it."""
    path = parts.settings.data_directory / STATUS_FILE
    readiness = Readiness(parts)
    try:
        while True:
            _write(path, describe(parts, readiness))
            await asyncio.sleep(PERIOD_SECONDS)
    finally:
        _remove(path)


def describe(parts: Parts, readiness: Readiness) -> dict[str, Any]:
    """Everything that an operator asks first; no I/O."""
    unready, degraded = readiness.codes()
    server, identity = parts.manifests.server, parts.identity.status()
    force = parts.control.in_force
    return {
        "schema": SCHEMA,
        "at": parts.now(),
        "process": os.getpid(),
        "version": __version__,
        "environment": parts.settings.environment.value,
        "name": server.name,
        "resource": parts.settings.server.resource,
        "ready": not unready,
        "reasons": [*unready, *degraded],
        "owner": server.ownership.owner,
        "on_call": server.ownership.on_call,
        "runbook": server.ownership.runbook,
        "identity": {
            "subject": identity.subject,
            "phase": identity.phase.value,
            "not_after": identity.not_after,
            "detail": identity.detail,
        },
        "keys": [
            {"issuer": each.name, "usable": each.usable, "fresh": each.fresh, "detail": each.detail}
            for each in parts.verifier.status()
        ],
        "audit": {
            "stream": parts.audit.stream_id,
            "writable": parts.audit.writable,
            "directory": str(parts.settings.audit.directory),
        },
        "record": _record(parts),
        "control": {
            "problems": list(parts.control.problems()),
            "digest": force.digest,
            "entries": [
                {
                    "id": each.id,
                    "action": each.action.value,
                    "what": list(each.about),
                    "who": each.who,
                    "why": each.why,
                    "until": each.until,
                    "source": each.source,
                    "approvers": list(force.grants[each].approvers) if each in force.grants else [],
                }
                for each in force.entries
            ],
        },
        "leases": {
            "calls_that_hold_some": len(parts.tellers.open_books),
            "still_to_be_revoked": list(parts.tellers.custody.orphans),
        },
    }


def _record(parts: Parts) -> dict[str, Any] | None:
    record = parts.record
    if record is None:
        return None
    return {
        "sha256": record.reference.sha256,
        "signer": str(record.signer),
        "commit": record.digests[Subject.COMMIT],
        "run_until": record.predicate.run_until,
        "ends_soon": is_ending(parts),
    }


def _write(path: Path, status: dict[str, Any]) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(
            beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
        )
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(status, stream, default=str)
        beside.replace(path)
    except OSError:
        return


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return
