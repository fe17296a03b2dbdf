"""May several replicas count each by itself? Not where something declared must be counted together.

Nor may each remember by itself which of somebody's answers were used.
"""

from collections.abc import Iterable, Iterator

from launchworthy.manifest import Effect, Manifests, TargetManifest
from launchworthy.settings import Settings
from launchworthy.vocabulary import Environment, Problem, ProblemError


def require_counted_together(settings: Settings, manifests: Manifests, environment: Environment) -> None:
    """Return if there is one replica, a store that all share, or nothing that it would have to count.

    Args:
        settings: say how many replicas there are, and who keeps the state.
        manifests: say what is limited.
        environment: whose promises count.

    Raises:
        ProblemError: with memory of its own, each of several replicas would allow the whole of a limit.
    """
    if settings.server.replicas == 1 or settings.state.kind != "memory":
        return
    limited = tuple(_limited(manifests, environment))
    if not limited:
        return
    what = (
        f"{settings.server.replicas} replicas each count in their own memory, "
        f"so each would allow the whole of the limits of {', '.join(limited)}"
    )
    fix = ("let them count together:", "[state]", 'kind = "valkey"', 'url  = "rediss://…"')
    where = settings.sources.get("server.replicas")
    raise ProblemError(
        Problem(reason="replicas-count-apart", where=where, what=what, fix=fix, field="server.replicas")
    )


def require_answers_shared(settings: Settings, targets: Iterable[TargetManifest]) -> None:
    """Return if every answer counts once, and at any replica; one process knows that by itself.

    Raises:
        ProblemError: `approval-not-shared`.
    """
    asking = sorted(target.name for target in targets if target.approval is not None)
    several = settings.server.replicas > 1 or settings.state.kind == "valkey"
    if settings.environment.simulated or not asking or not several:
        return
    missing = [
        (field, said)
        for field, said, there in (
            ("state.kind", 'kind = "valkey", so that an answer counts once', settings.state.kind == "valkey"),
            (
                "state.approval_key",
                'approval_key = "file:/run/secrets/approval", so that any replica can read it',
                settings.state.approval_key is not None,
            ),
        )
        if not there
    ]
    if missing:
        problem = Problem(
            reason="approval-not-shared",
            what=f"`{asking[0]}` asks somebody, and replicas would not agree whether an answer was used",
            fix=("in [state]:", *(f"  {said}" for _, said in missing)),
            field=missing[0][0],
        )
        raise ProblemError(problem)


def _limited(manifests: Manifests, environment: Environment) -> Iterator[str]:
    budget = manifests.server.budget
    budgets = {Effect.WRITE: budget.write, Effect.DESTRUCTIVE: budget.destructive}
    for target in manifests.targets.values():
        limits = (target.rate, target.concurrency, budgets.get(target.effect))
        if target.runs_in(environment) and any(each is not None for each in limits):
            yield f"`{target.name}`"
