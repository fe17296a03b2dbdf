"""Can whoever must answer on the page sign in, and is a person told from a machine? Said at start."""

from collections.abc import Iterable

from launchworthy.manifest import ApprovalMode, ApprovalRule, TargetManifest
from launchworthy.settings import Settings
from launchworthy.vocabulary import Problem, ProblemError


def asked_on_page(targets: Iterable[TargetManifest]) -> tuple[tuple[str, ApprovalRule], ...]:
    """The tools that are approved on a page, by name, and by whom."""
    return tuple(
        (target.name, target.approval)
        for target in sorted(targets, key=lambda target: target.name)
        if target.approval is not None and target.approval.mode is ApprovalMode.URL
    )


def require_somebody_to_ask(settings: Settings, targets: Iterable[TargetManifest]) -> None:
    """Return if nobody is asked on a page, or those who are can answer.

    Args:
        settings: say where people sign in, and what marks one.
        targets: those that run where these settings count.

    Raises:
        ProblemError: `approval-without-sign-in`, `approval-asks-nobody`.
    """
    asking = asked_on_page(targets)
    if not asking:
        return
    place = settings.approval.issuer
    if place is None:
        problem = Problem(
            reason="approval-without-sign-in",
            what=f"`{asking[0][0]}` is approved on a page, and the settings name no place to sign in",
            fix=("[approval]", f'issuer = "{next(iter(settings.issuers))}"  where callers sign in too'),
            field="approval.issuer",
        )
        raise ProblemError(problem)
    by_caller = [name for name, rule in asking if rule.by == "caller"]
    if by_caller and settings.issuers[place].person_claim is None:
        field = f"issuers.{place}.person_claim"
        problem = Problem(
            reason="approval-asks-nobody",
            where=settings.sources.get(f"issuers.{place}.issuer"),
            what=f"`{by_caller[0]}` asks its caller, and nothing marks a person among the callers",
            fix=(
                f"[issuers.{place}]",
                'person_claim = "…"  the claim that only people\'s tokens have',
                'or let others answer: approval = { mode = "url", by = "approvers", claim = "groups:…" }',
            ),
            field=field,
        )
        raise ProblemError(problem)
