"""What must not be forgotten from one record to the next? Renewals of waivers, and every secret ever found.

The last record of an environment is kept in the project, `approvals/record-<environment>.dsse.json`. The next
one names it, and carries on what it says:
* how often each control's waiver was renewed. A waiver counts by its control, whatever its words: a later end
  is a renewal. The second renewal needs two people, the third is refused;
* the fingerprint of every secret that was ever found. Each still stands in promotion.toml with what became of
  it, so that a history that was rewritten resets nothing.

Who takes the file away, or puts an older one in its place, is contradicted by the history of the project
(`chain_witness`); who rewrites that too begins a new chain, which the platform refuses with
`previous = "required"`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from launchworthy.approval.proved.proof import Approval
from launchworthy.attestation import (
    Facts,
    MalformedRecordError,
    Predicate,
    Purpose,
    RecordReference,
    Renewal,
    TrustPolicy,
    UnverifiedRecord,
    parse_envelope,
    parse_statement,
    verify_record,
)
from launchworthy.attestation.records import read_record, record_name
from launchworthy.attestation.statement import RENEWAL_LIMIT
from launchworthy.promotion.approvals.book import FOLDER, Book
from launchworthy.promotion.trusted import FILE, Entry, RotationTable, Trusted, WaiverTable, end_of
from launchworthy.vocabulary import Environment, Problem, ProblemError


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What the record before says that the next one carries on.

    Attributes:
        reference: names it; None at the beginning of a chain.
        signed_at: when it was signed; 0 at the beginning.
        renewals: by control.
        secrets: fingerprints.
    """

    reference: RecordReference | None
    signed_at: int
    renewals: Mapping[str, Renewal]
    secrets: frozenset[str]


NO_LINK = Link(reference=None, signed_at=0, renewals={}, secrets=frozenset())


def previous_record(root: Path, environment: Environment) -> UnverifiedRecord | None:
    """The last record of an environment, as it is kept in the project; None at the beginning.

    Raises:
        ProblemError: it is there and cannot be read, or a link, of whose target this path has no history.
    """
    path = root / FOLDER / record_name(environment)
    if path.resolve() != root.resolve() / FOLDER / path.name:
        what, fix = "is a link, or lies behind one", ("keep the record itself there: `launchworthy attest`",)
        where = f"{FOLDER}/{path.name}"
        raise ProblemError(Problem(reason="record-unreadable", where=where, what=what, fix=fix))
    return read_record(path, f"{FOLDER}/{path.name}") if path.exists() else None


def verified_link(root: Path, environment: Environment, trust: TrustPolicy, *, now: int) -> Link:
    """The end of the chain so far; a genuine record, whatever became of it since.

    Raises:
        ProblemError: it is not genuine, or of another environment.
    """
    found = previous_record(root, environment)
    if found is None:
        return NO_LINK
    nothing = Facts(environment=environment, digests={})
    verified = verify_record(found, trust=trust, facts=nothing, purpose=Purpose.LINK, now=now)
    return _link(verified.predicate, verified.reference)


def unverified_link(root: Path, environment: Environment) -> Link:
    """The same where nobody can be trusted yet: it may only add to what is asked.

    Raises:
        ProblemError: it is no record.
    """
    found = previous_record(root, environment)
    if found is None:
        return NO_LINK
    try:
        envelope = parse_envelope(found.envelope)
        predicate = parse_statement(envelope.payload).predicate
    except MalformedRecordError as error:
        what, fix = f"is no promotion record: {error}", ("take it as `launchworthy attest` wrote it",)
        raise ProblemError(
            Problem(reason="record-malformed", where=found.where, what=what, fix=fix)
        ) from None
    reference = RecordReference(record_id=predicate.record_id, sha256=envelope.payload_sha256())
    return _link(predicate, reference)


def renewal_of(waiver: WaiverTable, link: Link) -> int:
    """Which renewal of its control's waiver this is: 0 for the first waiver ever."""
    before = link.renewals.get(waiver.control)
    if before is None:
        return 0
    return before.count + (1 if end_of(waiver.expires) > before.until else 0)


def needs_two(waiver: WaiverTable, link: Link) -> bool:
    """Whether one person is not enough for this waiver."""
    return renewal_of(waiver, link) >= RENEWAL_LIMIT


def answers_to(waiver: Entry[WaiverTable], book: Book, link: Link) -> tuple[Approval, ...]:
    """The approvals of a waiver: one, or those of two people.

    Raises:
        ProblemError: as `Book.require` and `Book.require_two`.
    """
    if needs_two(waiver.table, link):
        return book.require_two(waiver.matter)
    return (book.require(waiver.matter),)


def require_renewable(waiver: Entry[WaiverTable], link: Link) -> None:
    """See that a waiver is not renewed for ever.

    Raises:
        ProblemError: `waiver-renewed-too-often`.
    """
    if renewal_of(waiver.table, link) > RENEWAL_LIMIT:
        what = f"the waiver of {waiver.table.control} was renewed {RENEWAL_LIMIT} times, and may not be again"
        fix = ("make the control hold",)
        problem = Problem(reason="waiver-renewed-too-often", where=waiver.where, what=what, fix=fix)
        raise ProblemError(problem)


def forgotten(rotations: Iterable[Entry[RotationTable]], link: Link) -> tuple[str, ...]:
    """Fingerprints of secrets of which nobody says any more what became of them."""
    return tuple(sorted(link.secrets - {each.table.finding for each in rotations}))


def require_remembered(trusted: Trusted, link: Link) -> None:
    """See that every secret that was ever found is still accounted for.

    Raises:
        ProblemError: `secret-forgotten`.
    """
    missing = forgotten(trusted.rotations, link)
    if missing:
        what = f"does not say any more what became of {', '.join(missing)}, which an earlier record names"
        fix = ("put the [[rotations]] back: what was found once is never forgotten",)
        raise ProblemError(Problem(reason="secret-forgotten", where=FILE, what=what, fix=fix))


def carried_on(trusted: Trusted, waived: Iterable[Entry[WaiverTable]], link: Link) -> dict[str, object]:
    """The members `previous`, `renewals` and `secrets` of the next record."""
    renewals = dict(link.renewals)
    for waiver in waived:
        control, until = waiver.table.control, end_of(waiver.table.expires)
        before = link.renewals.get(control)
        renewals[control] = Renewal(
            control=control,
            count=renewal_of(waiver.table, link),
            until=until if before is None else max(until, before.until),
        )
    return {
        "previous": link.reference,
        "renewals": tuple(renewals[control] for control in sorted(renewals)),
        "secrets": tuple(sorted(link.secrets | {each.table.finding for each in trusted.rotations})),
    }


def _link(predicate: Predicate, reference: RecordReference) -> Link:
    return Link(
        reference=reference,
        signed_at=predicate.signed_at,
        renewals={each.control: each for each in predicate.renewals},
        secrets=frozenset(predicate.secrets),
    )
