"""Tools and scopes: is everything declared, specific, closed, pinned and covered by cases?"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from launchworthy.manifest import ArgumentClass, Effect, TargetKind, TargetManifest, find_hidden
from launchworthy.policy.cases import run_cases, uncovered
from launchworthy.promotion import lock
from launchworthy.promotion.approvals.locked import require_lock_approved
from launchworthy.promotion.checks.assertions import broken, seen
from launchworthy.promotion.checks.schemas import open_ends
from launchworthy.promotion.every_text import every_text
from launchworthy.promotion.finding import Assertion, NotApplicable
from launchworthy.promotion.project import CASES, REAL, Project
from launchworthy.promotion.registry import registry
from launchworthy.vocabulary import ProblemError

_OMNIBUS = frozenset({"all", "any", "admin", "full", "root", "everything", "superuser", "wildcard"})
_SEPARATORS = re.compile(r"[:./_-]")


@registry.check("AZ-01")
def code_and_manifests_agree(project: Project) -> Iterator[Assertion]:
    """What is marked in the code is what is declared, both ways, by name and kind."""
    for problem in project.answer.problems:
        yield broken(
            problem.get("what", "cannot be said"), problem.get("where"), *problem.get("fix", "").splitlines()
        )
    marked: dict[tuple[str, str], str] = {
        (one.kind, one.name): one.where for one in project.answer.registered
    }
    declared = {(kind.value, name): target for (kind, name), target in project.manifests.targets.items()}
    for kind, name in sorted(marked.keys() - declared.keys()):
        yield broken(
            f"the {kind} `{name}` is in the code and in no manifest",
            marked[kind, name],
            "declare it, or take it out",
        )
    for kind, name in sorted(declared.keys() - marked.keys()):
        yield broken(
            f"the {kind} `{name}` is declared and not in the code",
            declared[kind, name].where,
            "implement it, or take it out",
        )
    for kind, name in sorted(marked.keys() & declared.keys()):
        yield seen(f"{kind} `{name}` is declared, with {' '.join(declared[kind, name].scopes)}")


@registry.check("AZ-03")
def scopes_are_specific(project: Project) -> Iterator[Assertion]:
    """No scope is a wildcard or an omnibus; each names what it is for."""
    server = "manifests/server.toml"
    scopes = project.manifests.server.scopes
    named = [
        (scope, target.name, target.where)
        for target in project.manifests.targets.values()
        for scope in target.scopes
    ]
    named += [(scope, "entry", server) for scope in scopes.entry]
    for granted, implied in scopes.implies.items():
        named += [(scope, "implies", server) for scope in (granted, *implied)]
    for scope, name, where in named:
        if is_specific(scope):
            yield seen(f"`{scope}` of `{name}` is specific")
        else:
            yield broken(
                f"the scope `{scope}` of `{name}` is not specific",
                where,
                "name resource and action: `orders:read`",
            )


@registry.check("AZ-05")
def policy_decides_as_expected(project: Project) -> Iterator[Assertion]:
    """Every case comes out as the team expects, and each tool has a yes and a no in each environment."""
    for environment, policy in project.policies.items():
        policy.self_test()
        yield seen(f"the policy of {environment} denies strangers, and whatever it cannot evaluate")
    for result in run_cases(project.cases, project.policies):
        if result.passed:
            yield seen(f"{result.case.where} in {result.environment}: {result.case.expect}")
        else:
            problem = result.problem()
            yield broken(problem.what, problem.where, *problem.fix)
    for problem in uncovered(project.cases, project.manifests, REAL, path=CASES):
        yield broken(problem.what, problem.where, *problem.fix)


@registry.check("TL-01")
def inputs_are_closed_and_bounded(project: Project) -> Iterator[Assertion]:
    """Each tool takes an object that is closed, and every value in it has bounds."""
    for manifest, published in _tools(project):
        if published is None:
            yield _unsaid(manifest)
            continue
        found = list(open_ends(published.get("inputSchema", {}), "arguments"))
        for what in found:
            fix = "give it bounds in the function's types: Field(…)"
            yield broken(f"`{manifest.name}`: {what}", manifest.where, fix)
        if not found:
            yield seen(f"the arguments of `{manifest.name}` are closed and bounded")


@registry.check("TL-02")
def definitions_are_pinned(project: Project) -> Iterator[Assertion]:
    """`launchworthy.lock` says what tools, policy and settings promise today, and nothing of it is hidden."""
    for target in project.answer.targets:
        for hidden in find_hidden("\n".join(every_text(target.published))):
            yield broken(
                f"what clients see of `{target.name}` holds {hidden.name}", None, "take the character out"
            )
    if project.lock is None:
        yield broken("there is no launchworthy.lock", None, "launchworthy lock, and commit it")
        return
    changes = lock.difference(project.lock.decode("utf-8", "replace"), lock.render(project))
    for change in changes:
        yield broken(
            f"launchworthy.lock does not match: {change}",
            "launchworthy.lock",
            "launchworthy lock, read its diff",
        )
    yield seen(f"launchworthy.lock matches {len(project.answer.targets)} targets")
    yield from _lock_approval(project, project.lock)


def _lock_approval(project: Project, content: bytes) -> Iterator[Assertion]:
    """Whether a person agreed to these very promises, where the trust policy asks people."""
    try:
        approval = require_lock_approved(project.book, content)
    except ProblemError as error:
        problem = error.problems[0]
        yield broken(f"launchworthy.lock: {problem.what}", problem.where, *problem.fix)
        return
    if approval is not None:
        yield seen(f"launchworthy.lock is approved by {approval.name}, as it stands")


@registry.check("TL-04")
def annotations_agree_with_effects(project: Project) -> Iterator[Assertion]:
    """What clients are told of a tool's effect is what the manifest says."""
    for manifest, published in _tools(project):
        if published is None:
            yield _unsaid(manifest)
            continue
        said = published.get("annotations", {})
        wanted = {
            "readOnlyHint": manifest.effect is Effect.READ,
            "destructiveHint": manifest.effect is Effect.DESTRUCTIVE,
        }
        wrong = [name for name, value in wanted.items() if said.get(name) is not value]
        if wrong:
            yield broken(
                f"`{manifest.name}` tells clients another {wrong[0]}", manifest.where, "upgrade the framework"
            )
        else:
            yield seen(f"`{manifest.name}` is said to be {manifest.effect}")
        yield from _header_parameters(published.get("inputSchema", {}), manifest)


@registry.check("TL-05")
def every_call_has_bounds(project: Project) -> Iterator[Assertion]:
    """Each call has an end in time; what changes something has a bound on how often, too."""
    if not project.manifests.targets:
        raise NotApplicable("no manifest declares anything")
    budgets = project.manifests.server.budget.model_dump(exclude_none=True)
    for target in project.manifests.targets.values():
        yield seen(f"a call of `{target.name}` ends after {target.timeout_seconds:g} s")
        limited = target.rate or target.concurrency or target.effect.value in budgets
        if target.effect is not Effect.READ and not limited:
            yield broken(
                f"nothing bounds how often one caller may call `{target.name}`, which changes something",
                target.where,
                'rate = "60/minute"',
            )


def is_specific(scope: str) -> bool:
    """Whether a scope names a resource and an action, and neither of them is everything."""
    parts = [part for part in _SEPARATORS.split(scope.casefold()) if part]
    return len(parts) > 1 and "*" not in scope and not _OMNIBUS.intersection(parts)


def _tools(project: Project) -> Iterator[tuple[TargetManifest, Mapping[str, Any] | None]]:
    """Each declared tool with what clients see of it; None where the code does not say.

    Raises:
        NotApplicable: the server has no tools.
    """
    tools = project.manifests.tools()
    if not tools:
        raise NotApplicable("no manifest declares a tool")
    published = {
        target.name: target.published
        for target in project.answer.targets
        if target.kind == TargetKind.TOOL.value
    }
    for manifest in tools:
        yield manifest, published.get(manifest.name)


def _unsaid(manifest: TargetManifest) -> Assertion:
    return broken(
        f"the code does not say what clients see of `{manifest.name}`",
        manifest.where,
        "see AZ-01: code and manifests must agree first",
    )


def _header_parameters(schema: Mapping[str, Any], manifest: TargetManifest) -> Iterator[Assertion]:
    for name, described in schema.get("properties", {}).items():
        if "x-mcp-header" in described and manifest.argument_class(name) is not ArgumentClass.CLEAR:
            yield broken(
                f"`{manifest.name}` sends `{name}` in a header, and it is not clear in the audit",
                manifest.where,
                "take the header away, or say why it may be seen: clear",
            )
