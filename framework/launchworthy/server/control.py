"""How does the control list reach what it governs: the audit, the verifier, what was decided before?"""

import time
from collections.abc import Iterator
from contextlib import suppress

from launchworthy.audit import AuditUnwritable, events
from launchworthy.server.grants import grant_judge
from launchworthy.server.parts import Parts
from launchworthy.state.control import Change, ControlList, Entry, FileSource, SealedList, StoreSource
from launchworthy.state.control.reading import Source
from launchworthy.tokens import deniable_names
from launchworthy.vocabulary import Principal, Reason, Refused


class DeniedCallers:
    """`DenyEntries` of the verifier, over the control list."""

    def __init__(self, control: ControlList) -> None:
        """Ask this list."""
        self._control = control

    @property
    def generation(self) -> int:
        """Changes with every change of the list."""
        return self._control.generation

    def refuse(self, principal: Principal) -> None:
        """Return if this caller is not denied, nor anybody who acts through it.

        Raises:
            Refused: `token.denied`.
        """
        denied = self._control.in_force.denied
        if not denied:
            return
        for name in deniable_names(principal):
            if name in denied:
                raise Refused(Reason.TOKEN_DENIED, f"the {name.kind.value} is denied by the control list")


async def open_control(parts: Parts) -> None:
    """Read the list, and have it read every second from now on.

    Raises:
        ProblemError: the list that the settings name is missing or cannot be understood.
    """
    longest = {
        issuer.issuer: int(issuer.max_lifetime + issuer.leeway) for issuer in parts.settings.issuers.values()
    }
    control = ControlList(
        tuple(_sources(parts)),
        longest=longest,
        judge=grant_judge(parts),
        clock=parts.surroundings.clock,
        monotonic=time.monotonic,
    )
    parts.control = control
    control.on_change(lambda change: _tell(parts, change))
    await control.start()
    parts.keep(control.keep(), "control")


def _sources(parts: Parts) -> Iterator[Source]:
    """The file, and the store where there is a key for its list and one that replicas share."""
    control = parts.settings.control
    if control.file is not None:
        yield FileSource(control.file)
    ring = parts.own_keys.control
    if ring is not None and parts.store.shared:
        yield StoreSource(SealedList(parts.store, ring, resource=parts.settings.server.resource))


def _tell(parts: Parts, change: Change) -> None:
    """Drop what was decided before, and leave a record; without one the audit closes the server by itself."""
    parts.policy.forget()
    entry = change.entry
    detail = change.detail
    if entry is None:
        event = events.ControlChanged(change=change.kind.value, detail=detail)
    else:
        served = {one.manifest.name for one in parts.served} | {"*"}
        unknown = sorted(set(entry.targets) - served)
        unknown += sorted(_issuers(entry) - {one.issuer for one in parts.settings.issuers.values()})
        if entry.grant is not None:
            known = {rule for piece in parts.compiled.slices.values() for rule in piece.ids}
            unknown += sorted(set(entry.grant.lifts) - known)
        event = events.ControlChanged(
            change=change.kind.value,
            entry=entry.id,
            action=entry.action.value,
            targets=entry.targets,
            principals=_principals(entry),
            who=entry.who,
            why=entry.why,
            until=entry.until,
            source=entry.source,
            incident=None if entry.grant is None else entry.grant.incident,
            lifts=() if entry.grant is None else entry.grant.lifts,
            approvers=change.approvers,
            list_digest=parts.control.in_force.digest,
            detail=detail or (f"not known here: {', '.join(unknown)}" if unknown else None),
        )
    with suppress(AuditUnwritable):
        parts.audit.record(event, critical=True)


def _issuers(entry: Entry) -> set[str]:
    """Whose tokens it is about: one letter too many, and nobody is denied."""
    named = () if entry.name is None else (entry.name[1],)
    return {*named, *(() if entry.grant is None else (entry.grant.issuer,))}


def _principals(entry: Entry) -> tuple[str, ...]:
    if entry.grant is not None:
        return (f"{entry.grant.issuer} {entry.grant.subject} {entry.grant.client}",)
    return () if entry.name is None else (" ".join(entry.name),)
