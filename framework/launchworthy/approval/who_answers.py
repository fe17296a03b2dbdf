"""Who may answer, and is there anybody at all? Pure: told by names, never by what somebody calls himself.

The caller answers where the manifest says `by = "caller"`: the same issuer and subject as in the token.
Approvers answer where it says so: whoever has the claim, and never the caller, nor who acts for them. Where
there are several tenants, an approver is of the caller's: what is asked is shown to nobody else.
A person is told from another by the issuer's name for them, so both must come from one issuer.
"""

from launchworthy.approval.refusals import NobodyToAsk, NotAnswered
from launchworthy.approval.waiting import Waiting
from launchworthy.manifest import ApprovalRule
from launchworthy.tokens.id_tokens import SignedIn
from launchworthy.vocabulary import Principal, PrincipalKind


def check_somebody_to_ask(rule: ApprovalRule, principal: Principal, sign_in: str) -> None:
    """Return if somebody could answer on the page.

    Args:
        rule: who may.
        principal: who calls.
        sign_in: the issuer at which people sign in.

    Raises:
        NobodyToAsk: no answer could count.
    """
    if rule.by == "caller" and principal.kind is not PrincipalKind.PERSON:
        raise NobodyToAsk("the caller is no person, and the manifest names no approvers")
    if principal.issuer != sign_in:
        raise NobodyToAsk("the caller comes from another issuer than the one where people sign in")


def check_may_answer(waiting: Waiting, signed_in: SignedIn) -> None:
    """Return if this person may answer this question.

    Raises:
        NotAnswered: they may not.
    """
    caller = (waiting.issuer, waiting.subject)
    who = (signed_in.issuer, signed_in.subject)
    if waiting.rule.by == "caller":
        if who != caller:
            raise NotAnswered("somebody else than the caller has signed in")
        return
    if who == caller or (signed_in.issuer == waiting.issuer and signed_in.subject in waiting.actors):
        raise NotAnswered("the caller has signed in, and somebody else must approve")
    claim = waiting.rule.claim
    if claim is None or not signed_in.says(claim.name, claim.value):
        raise NotAnswered(f"whoever has signed in is no approver: `{claim}` is not said of them")
    if waiting.tenant is not None and not signed_in.is_of(waiting.tenant):
        raise NotAnswered("whoever has signed in is not of the caller's tenant")
