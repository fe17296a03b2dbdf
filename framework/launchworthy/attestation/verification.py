"""Is this record genuine, does it count here and now, and is it about exactly this?

A record is untrusted bytes until all of this holds, in this order; the first step that fails names itself:

1. form: one envelope, one signature, a statement with every subject (`envelope`, `statement`);
2. environment: the record's is ours;
3. stamp: of an authority of the trust policy, over this signature, where the policy requires one (`stamp`);
4. signer: an X.509-SVID of a promoter that the trust policy lists for this environment, with a chain to a
   root pinned for its trust domain, valid when it signed. Never the live bundle: SVIDs die within hours, and
   the roots of SPIRE within days. Or a workflow that Sigstore vouches for, and dates (`keyless`).
   `dev.invalid` signs for no real environment, whatever a policy lists;
5. signature: over the exact payload, by that certificate's key;
6. standing: neither the record nor its signer is revoked, catalogue and framework are not below the floor,
   and it names the record before it, where the policy requires that (`previous`);
7. approval: the one that the trust policy asks for is named;
8. dates: not signed in the future, and not after the date that this purpose asks about;
9. subjects: all facts that are given equal the record's, and the purpose says which must be given.

Where the platform says `stamp = "none"`, `signed_at` is the signer's word: whoever steals a promoter's key
can date a record back into that certificate's life. Revoke the key id.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import assert_never

from cryptography import x509

from launchworthy.attestation.approvers import Approvers
from launchworthy.attestation.envelope import Envelope, parse_envelope
from launchworthy.attestation.facts import Facts, Purpose
from launchworthy.attestation.json_document import MalformedRecordError
from launchworthy.attestation.keyless import INSTALL, Keyless, SigstoreMissingError, verify_keyless
from launchworthy.attestation.refusals import difference, no_record, refuse
from launchworthy.attestation.signature import BadSignatureError, verify_signature
from launchworthy.attestation.stamp import UntrustedStampError, verify_stamp
from launchworthy.attestation.statement import (
    Predicate,
    RecordReference,
    Statement,
    Subject,
    parse_statement,
    render_instant,
)
from launchworthy.attestation.svid import (
    SpiffeId,
    UntrustedSignerError,
    key_id,
    parse_chain,
    public_key_of,
    unverified_spiffe_id,
    verify_chain,
)
from launchworthy.attestation.trust import TrustPolicy
from launchworthy.attestation.version import parse_version
from launchworthy.attestation.workflow import Workflow
from launchworthy.vocabulary import SIMULATED_TRUST_DOMAIN, Environment, Problem, ProblemError

CLOCK_SKEW = 60
"""Seconds that a signature may lie in the future."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedRecord:
    """The bytes of a record as they were found, and where."""

    where: str
    envelope: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedRecord:
    """A record that is genuine and fits; made by this module only.

    Attributes:
        where: where it was found.
        purpose: for what it was verified, and for nothing else.
        signer: who signed.
        predicate: what it says.
        digests: of all its subjects.
        reference: its id and digest, for the record after it.
        trust_policy_sha256: the policy that it was verified under, for `trust.loaded`; the predicate has that
            of the day it was signed.
        stamped_at: when a time-stamp authority saw the signature, or from when Sigstore's log may have; None
            where nobody had to.
        key_id: of the signer's key.
    """

    where: str
    purpose: Purpose
    signer: SpiffeId | Workflow
    predicate: Predicate
    digests: Mapping[Subject, str]
    reference: RecordReference
    trust_policy_sha256: str
    stamped_at: int | None
    key_id: str

    @property
    def signed_by(self) -> str:
        """Who signed, with all that tells them from others: a workflow with its repository."""
        if isinstance(self.signer, Workflow):
            return f"{self.signer} for {self.signer.repository}"
        return str(self.signer)

    def require(self, subject: Subject, digest: str) -> None:
        """Compare one more fact, known only later.

        Raises:
            ProblemError: it is another one than the record's.
        """
        if digest != self.digests[subject]:
            raise ProblemError(*difference(self.where, {subject: digest}, self.digests))


def verify_record(
    unverified_record: UnverifiedRecord, *, trust: TrustPolicy, facts: Facts, purpose: Purpose, now: int
) -> VerifiedRecord:
    """Verify one record by the nine steps of this module.

    Args:
        unverified_record: as it was found.
        trust: the platform's.
        facts: what is here; they hold at least what `facts.REQUIRED` asks for this purpose.
        purpose: what is to be done.
        now: seconds since the epoch.

    Raises:
        ProblemError: it does not count; the reason is one of `refusals.REASONS`, or `nobody-trusted`.
        ValueError: facts are missing.
    """
    facts.require_all(purpose)
    where = unverified_record.where
    envelope, statement = _parse(unverified_record)  # 1
    predicate = statement.predicate
    if predicate.environment is not facts.environment:  # 2
        what = f"is for {predicate.environment}, and this is {facts.environment}"
        refuse("record-for-another-environment", where, what)
    signer: SpiffeId | Workflow
    stamped_at: int | None
    try:
        if envelope.material is not None:
            keyless = _verify_workflow(envelope, statement, trust)  # 3, 4, 5
            signer, stamped_at = keyless.workflow, keyless.stamped_at
        else:
            stamped_at = _stamped_at(where, envelope, predicate, trust, purpose)  # 3
            at = predicate.signed_at if stamped_at is None else stamped_at
            signer, leaf = _verify_signer(envelope, predicate, trust, at=at)  # 4
            verify_signature(public_key_of(leaf), envelope.signature, envelope.signed_bytes())  # 5
    except SigstoreMissingError:
        what = f"is signed by way of Sigstore, and what verifies it is not installed here: {INSTALL}"
        refuse("sigstore-not-installed", where, what)
    except UntrustedSignerError as error:
        refuse("record-not-trusted", where, f"cannot be believed: {error}")
    except BadSignatureError as error:
        refuse("record-altered", where, f"was changed after it was signed: {error}")
    if purpose is not Purpose.LINK:
        _check_revocation(where, predicate, (str(signer), envelope.key_id), trust)  # 6
        _check_floors(where, predicate, trust)
        _check_chain(where, predicate, trust)
        _check_approval(where, predicate, trust)  # 7
    _check_dates(where, predicate, purpose, now)  # 8
    digests = statement.digests()
    differing = {name: digest for name, digest in facts.digests.items() if digest != digests[name]}
    if differing:  # 9
        raise ProblemError(*difference(where, differing, digests))
    return VerifiedRecord(
        where=where,
        purpose=purpose,
        signer=signer,
        predicate=predicate,
        digests=MappingProxyType(digests),
        reference=RecordReference(record_id=predicate.record_id, sha256=envelope.payload_sha256()),
        trust_policy_sha256=trust.sha256,
        stamped_at=stamped_at,
        key_id=envelope.key_id,
    )


def verify_longest_lasting(
    unverified_records: Sequence[UnverifiedRecord],
    *,
    trust: TrustPolicy,
    facts: Facts,
    purpose: Purpose,
    now: int,
    searched: str,
) -> VerifiedRecord:
    """Verify all that were found, by the same rules, and take the one that counts longest.

    Args:
        unverified_records: from the wheel and from the directory of renewed ones.
        trust: as for `verify_record`.
        facts: as for `verify_record`.
        purpose: as for `verify_record`.
        now: as for `verify_record`.
        searched: where was looked: `dist/promotion`.

    Raises:
        ProblemError: none counts; with the problems of all of them, or `no-record`.
        ValueError: facts are missing.
    """
    facts.require_all(purpose)
    verified: list[VerifiedRecord] = []
    problems: list[Problem] = []
    for each in unverified_records:
        try:
            verified.append(verify_record(each, trust=trust, facts=facts, purpose=purpose, now=now))
        except ProblemError as error:
            problems.extend(error.problems)
    if verified:
        return max(verified, key=lambda record: _last_instant(record.predicate, purpose))
    if problems:
        raise ProblemError(*problems)
    raise ProblemError(no_record(facts, purpose, searched))


def unverified_environment(unverified_record: UnverifiedRecord) -> Environment:
    """For which environment a record says it is, signed or not.

    A start in the simulated world asks this of every record in its wheel: one for a real environment refuses
    it, so that no variable turns a promoted image into a development server.

    Raises:
        ProblemError: it is malformed.
    """
    return _parse(unverified_record)[1].predicate.environment


def _parse(unverified_record: UnverifiedRecord) -> tuple[Envelope, Statement]:
    try:
        envelope = parse_envelope(unverified_record.envelope)
        return envelope, parse_statement(envelope.payload)
    except MalformedRecordError as error:
        refuse("record-malformed", unverified_record.where, f"is not a promotion record: {error}")


def _stamped_at(
    where: str, envelope: Envelope, predicate: Predicate, trust: TrustPolicy, purpose: Purpose
) -> int | None:
    """The proved time of the signature; None where the platform takes the signer's word."""
    table = trust.of(predicate.environment)
    if envelope.stamp is None:
        if table.stamp_required and purpose is not Purpose.LINK:
            what = f"has no time stamp, and {trust.where} requires one for {predicate.environment}"
            refuse("record-not-stamped", where, what)
        return None
    if not table.stamp_authorities:
        return None
    try:
        return verify_stamp(
            envelope.stamp,
            signature=envelope.signature,
            signed_at=predicate.signed_at,
            authorities=table.stamp_authorities,
        )
    except UntrustedStampError as error:
        refuse("record-stamp-not-trusted", where, f"cannot be dated: {error}")


def _verify_workflow(envelope: Envelope, statement: Statement, trust: TrustPolicy) -> Keyless:
    predicate = statement.predicate
    return verify_keyless(
        envelope,
        workflows=trust.of(predicate.environment).workflows,
        sigstore=trust.sigstore,
        commit=statement.digests()[Subject.COMMIT],
        signed_at=predicate.signed_at,
        simulated=predicate.environment.simulated,
    )


def _verify_signer(
    envelope: Envelope, predicate: Predicate, trust: TrustPolicy, *, at: int
) -> tuple[SpiffeId, x509.Certificate]:
    chain = parse_chain(envelope.certificates)
    claimed = unverified_spiffe_id(chain[0])
    environment = predicate.environment
    if claimed.trust_domain == SIMULATED_TRUST_DOMAIN and not environment.simulated:
        raise UntrustedSignerError(f"`{claimed}` is simulated and signs for no real environment")
    if str(claimed) not in trust.of(environment).promoters:
        raise UntrustedSignerError(f"`{claimed}` is no promoter of {environment}")
    if envelope.key_id != key_id(chain[0]):
        raise UntrustedSignerError("its `keyid` is not the certificate's key")
    roots = trust.roots.get(claimed.trust_domain, ())
    return verify_chain(chain, roots, at=at), chain[0]


def revocation_of(predicate: Predicate, signer: tuple[str, str], trust: TrustPolicy) -> str | None:
    """Why a record does not count any more by this trust policy; None where it does.

    Args:
        predicate: of the record.
        signer: its name, and its key's.
        trust: the platform's, as it is now.
    """
    if predicate.record_id in trust.revoked_records:
        return f"`{predicate.record_id}` is revoked by {trust.where}"
    for name in signer:
        if name in trust.revoked_signers:
            return f"its signer `{name}` is revoked by {trust.where}"
    return None


def _check_revocation(where: str, predicate: Predicate, signer: tuple[str, str], trust: TrustPolicy) -> None:
    if (why := revocation_of(predicate, signer, trust)) is not None:
        refuse("record-revoked", where, why)


def _check_floors(where: str, predicate: Predicate, trust: TrustPolicy) -> None:
    floor = trust.of(predicate.environment)
    for name, version, least in (
        ("catalogue", predicate.catalogue, floor.catalogue),
        ("launchworthy", predicate.framework, floor.framework),
    ):
        if least is not None and parse_version(version) < least:
            wanted = ".".join(str(number) for number in least)
            refuse("record-outdated", where, f"rests on {name} {version}, and {trust.where} wants {wanted}")


def _check_chain(where: str, predicate: Predicate, trust: TrustPolicy) -> None:
    if predicate.previous is None and trust.of(predicate.environment).previous_required:
        what = f"names no record before it, and {trust.where} requires one for {predicate.environment}"
        refuse("record-without-previous", where, what)


def _check_approval(where: str, predicate: Predicate, trust: TrustPolicy) -> None:
    approvers = trust.of(predicate.environment).approvers
    if isinstance(approvers, Approvers) and (
        predicate.approval is None or predicate.approval.issuer != approvers.issuer
    ):
        refuse("record-not-approved", where, f"names no approver of {trust.where}")


def _check_dates(where: str, predicate: Predicate, purpose: Purpose, now: int) -> None:
    if predicate.signed_at > now + CLOCK_SKEW:
        signed = render_instant(predicate.signed_at)
        refuse("record-not-yet-valid", where, f"was signed at {signed}, and here it is {render_instant(now)}")
    last = _last_instant(predicate, purpose)
    if now > last and purpose not in (Purpose.INSPECT, Purpose.LINK):
        verb = "starts" if purpose is Purpose.START else "builds"
        refuse("record-expired", where, f"allows no {verb} after {render_instant(last)}")


def _last_instant(predicate: Predicate, purpose: Purpose) -> int:
    match purpose:
        case Purpose.BUILD | Purpose.BUILT:
            return predicate.build_until
        case Purpose.START | Purpose.INSPECT | Purpose.LINK:
            return predicate.run_until
        case _:
            assert_never(purpose)
