"""What becomes of the promotion record while a process runs under it?

A date stops no process. In the last fortnight it is said once a day that the record ends (audit, a number,
`/readyz`, `status`), and a renewed record that was mounted meanwhile is taken in its place.

A revocation stops it. The trust policy is read again every ten seconds, as a start would read it: a process
learns of it by the same file as everybody else, needs no connection to anyone for that, and cannot be kept
from it by a network. If the record in force is revoked, or who signed it, and no other record here counts,
the process drains and ends with 78: started again, it would refuse for the same reason.
A policy that cannot be read revokes nothing: `record.trust-unreadable` is said, and the next start refuses.
"""

import asyncio
from contextlib import suppress
from typing import Final

import structlog

from launchworthy.attestation import render_instant, revocation_of
from launchworthy.attestation.trust_file import read_trust_policy
from launchworthy.audit import AuditUnwritable, events
from launchworthy.audit.retention import days
from launchworthy.server import record, wiring
from launchworthy.server.parts import Parts
from launchworthy.server.record_dates import is_ending
from launchworthy.vocabulary import ProblemError

WATCH_SECONDS: Final = 10.0
DAY_SECONDS: Final = 86_400.0
REVOKED: Final = "revoked"
_log = structlog.get_logger()


async def remind_of_the_record(parts: Parts, *, every: float = DAY_SECONDS) -> None:
    """Take a renewed record, or say once a day that this one ends; no process is stopped by a date."""
    while True:
        if is_ending(parts):
            await _take_another(parts)
        in_force = parts.record
        if in_force is not None and is_ending(parts):
            left = in_force.predicate.run_until - parts.now()
            event = events.PromotionExpiring(
                record_digest=in_force.reference.sha256,
                run_until=render_instant(in_force.predicate.run_until),
                days=max(0, days(left)),
            )
            with suppress(AuditUnwritable):
                parts.audit.record(event, critical=True)
        await asyncio.sleep(every)


async def watch_the_record(parts: Parts, *, every: float = WATCH_SECONDS) -> None:
    """Read the trust policy again and again; end the process where its record does not count any more."""
    while parts.record is not None:
        await asyncio.sleep(every)
        detail = await asyncio.to_thread(_revocation, parts)
        if detail is not None and not await _take_another(parts):
            _drain(parts, detail)
            return


def _revocation(parts: Parts) -> str | None:
    """Why the record in force does not count any more; None where it does, or where nobody can say."""
    trust_file, in_force = record.trust_file(parts), parts.record
    if trust_file is None or in_force is None:
        return None
    try:
        trust = read_trust_policy(
            trust_file, environment=parts.settings.environment, outside=parts.project.root.parent
        )
    except Exception as error:  # noqa: BLE001 - a loop that must not end: whatever it was, it was not read
        if not parts.trust_unreadable:
            _log.error("the trust policy cannot be read; the record in force stays", problem=str(error))
        parts.trust_unreadable = True
        return None
    parts.trust_unreadable = False
    return revocation_of(in_force.predicate, (str(in_force.signer), in_force.key_id), trust)


async def _take_another(parts: Parts) -> bool:
    """Look for records as a start does, and take the one that lasts longest; whether there is another one."""
    try:
        found = await asyncio.to_thread(record.verify, parts)
    except Exception as error:  # noqa: BLE001 - whatever it was, none was found: a revoked process must end
        if not isinstance(error, ProblemError):
            _log.error("no other record could be looked for", problem=type(error).__name__)
        return False
    if found is None or (parts.record is not None and found.reference == parts.record.reference):
        return False
    parts.record = found
    wiring.record_or_degrade(parts, wiring.trust_loaded(found))
    return True


def _drain(parts: Parts, detail: str) -> None:
    in_force = parts.record
    if in_force is not None:
        event = events.PromotionRevoked(
            record_digest=in_force.reference.sha256, signer=str(in_force.signer), detail=detail
        )
        wiring.record_or_degrade(parts, event)
    _log.error("the promotion record was revoked; this process ends", detail=detail)
    parts.ending.by(REVOKED)
