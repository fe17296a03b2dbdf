"""Does the policy decide as its team expects, and is every tool's yes and no expected somewhere?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from launchworthy.manifest import Manifests
from launchworthy.policy.case_file import Case
from launchworthy.policy.compiled import CompiledPolicy
from launchworthy.policy.explain import explain
from launchworthy.policy.query import Query
from launchworthy.vocabulary import Approved, Environment, Problem, Reason, Refused

ALLOW = "allow"
_WORDS = {
    Reason.TOOL_SCOPE: "scope",
    Reason.TOOL_ENVIRONMENT: "environment",
    Reason.TOOL_APPROVAL: "approval",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """A case in one environment, and what was decided.

    Attributes:
        case: what was expected.
        environment: where it was asked.
        observed: `allow`, `scope`, `environment`, `approval`, the ids of the rules that said no, or another
            reason.
        told: why, in words; empty where it was allowed.
    """

    case: Case
    environment: Environment
    observed: tuple[str, ...]
    told: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether it is as expected; of several rules that say no, any may be named."""
        return self.case.expect in self.observed

    def problem(self) -> Problem:
        """What a person is told of a case that did not pass."""
        expected = f"`{self.case.expect}` of {_named(self.case)} in {self.environment}"
        observed = ", ".join(f"`{word}`" for word in self.observed)
        return Problem(
            reason="policy-case-failed",
            where=self.case.where,
            what=f"expects {expected}, and it is {observed}",
            fix=(*self.told, "correct the case, the rule or the manifest: whichever is wrong"),
        )


def run_cases(
    cases: Sequence[Case], policies: Mapping[Environment, CompiledPolicy]
) -> tuple[CaseResult, ...]:
    """Ask each case in each environment that it is about, in the order of the cases.

    Args:
        cases: of `load_cases`.
        policies: the compiled policy of each environment to ask in.
    """
    return tuple(
        _run(case, environment, policy)
        for case in cases
        for environment, policy in policies.items()
        if case.applies_in(environment)
    )


def uncovered(
    cases: Sequence[Case], manifests: Manifests, environments: Sequence[Environment], *, path: str
) -> tuple[Problem, ...]:
    """Find each tool and environment where no case says that it is allowed, or that it is denied.

    Args:
        cases: all of them.
        manifests: every tool that must be covered, in each of these environments in which it runs.
        environments: to be covered.
        path: `tests/policy.toml`.
    """
    return tuple(
        problem
        for target in manifests.tools()
        for problem in _gaps(
            target.name,
            [case for case in cases if case.target.key == target.key],
            [environment for environment in environments if target.runs_in(environment)],
            path,
        )
    )


def _run(case: Case, environment: Environment, policy: CompiledPolicy) -> CaseResult:
    query = Query(
        target=case.target,
        principal=case.principal,
        arguments=case.arguments,
        now=case.now,
        peer=case.peer,
        forwarded_peer=case.forwarded_peer,
        approved=Approved(question="case") if case.approved else None,
        lifted=frozenset(),
    )
    try:
        policy.decide(query)
    except Refused as refused:
        word = _WORDS.get(refused.reason)
        observed = (word,) if word is not None else refused.rules or (refused.reason.value,)
        told = explain(policy, refused)
        return CaseResult(case=case, environment=environment, observed=observed, told=told)
    return CaseResult(case=case, environment=environment, observed=(ALLOW,), told=())


def _gaps(
    tool: str, cases: Sequence[Case], environments: Sequence[Environment], path: str
) -> Iterator[Problem]:
    pairs = {(environment, allowed): False for environment in environments for allowed in (True, False)}
    for environment, allowed in pairs:
        pairs[environment, allowed] = any(
            case.applies_in(environment) and (case.expect == ALLOW) is allowed for case in cases
        )
    covered = f"{sum(pairs.values())} of {len(pairs)} pairs of it are covered"
    for (environment, allowed), is_covered in pairs.items():
        if not is_covered:
            missing = f"`{tool}` is {'allowed' if allowed else 'denied'} in {environment}"
            yield Problem(
                reason="policy-case-missing",
                where=path,
                what=f"has no case that says that {missing} ({covered})",
                fix=(
                    "add:",
                    "  [[cases]]",
                    f'  call        = "{tool}"',
                    f'  environment = "{environment}"',
                    "  scopes      = […]",
                    f'  expect      = "{ALLOW if allowed else "scope"}"',
                ),
                field=tool,
            )


def _named(case: Case) -> str:
    return f"the {case.target.kind} `{case.target.name}`"
