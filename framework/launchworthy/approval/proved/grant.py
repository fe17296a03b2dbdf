"""Have two people approved exactly this grant? By their sign-ins, whose proofs it brings along.

1. it is for this server
2. every proof is genuine, and of this grant as it stands: its caller, targets, rules, times and incident
3. they are of two people, and neither is the caller whom it is for, nor whoever asked for it
4. it ends within eight hours of the first of their sign-ins: none is kept in a drawer for later
"""

from typing import Final, NoReturn

from launchworthy.approval.proved.matter import Kind, Matter, matter_of_entry
from launchworthy.approval.proved.proof import Approval, Keys, verify_proof
from launchworthy.attestation import Approvers
from launchworthy.state.control import MAX_GRANT_SECONDS, Entry, GrantTerms
from launchworthy.vocabulary import Problem, ProblemError

NEEDED: Final = 2


def grant_matter(entry: Entry) -> Matter:
    """What is approved of a grant: all that it says but the approvals.

    Raises:
        ValueError: it is no grant.
    """
    grant = _terms(entry)
    lifted, targets = ", ".join(grant.lifts), ", ".join(entry.targets)
    says = (
        f"{grant.server}, {grant.incident}: {grant.subject} by {grant.client} may call {targets} "
        f"without {lifted}, for {(entry.until - entry.since) // 60} min; {entry.who}: {entry.why}"
    )
    return matter_of_entry(Kind.GRANT, entry.terms(), says, of=grant.server)


def verify_grant(
    entry: Entry, *, server: str, approvers: Approvers, keys: Keys, now: int
) -> tuple[Approval, ...]:
    """Verify the approvals of a grant.

    Args:
        entry: of the control list.
        server: the resource of the server that asks.
        approvers: of break-glass, by the trust policy.
        keys: of their issuer.
        now: seconds since the epoch.

    Raises:
        ProblemError: `grant-not-approved`, or `approval-not-genuine`.
    """
    grant = _terms(entry)
    if grant.server != server:
        _refuse(entry, f"is for `{grant.server}`")
    matter = grant_matter(entry)
    found = tuple(
        verify_proof(
            proof.encode(), matter, approvers=approvers, keys=keys, now=now, where=f"grant `{entry.id}`"
        )
        for proof in grant.approvals
    )
    people = {(each.issuer, each.subject) for each in found}
    if len(people) < NEEDED:
        _refuse(entry, f"is approved by {len(people)} of the {NEEDED} people that it takes")
    if (grant.issuer, grant.subject) in people:
        _refuse(entry, "is approved by the caller whom it is for")
    if any(entry.who in (each.name, each.subject) for each in found):
        _refuse(entry, "is approved by whoever asked for it")
    if entry.until > min(each.approved_at for each in found) + MAX_GRANT_SECONDS:
        _refuse(entry, "ends more than eight hours after it was approved")
    return found


def _terms(entry: Entry) -> GrantTerms:
    if entry.grant is None:
        raise ValueError("only a grant is approved")
    return entry.grant


def _refuse(entry: Entry, what: str) -> NoReturn:
    fix = ("two people of `break_glass_approvers` of the platform's trust.toml: launchworthy approve FILE",)
    raise ProblemError(Problem(reason="grant-not-approved", where=f"grant `{entry.id}`", what=what, fix=fix))
