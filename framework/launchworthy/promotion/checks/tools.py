"""Tools and scopes: is everything declared, specific, closed, pinned and covered by cases?"""

from collections.abc import Iterator, Mapping
from typing import Any

from launchworthy.manifest import Effect, TargetKind, TargetManifest
from launchworthy.policy.cases import run_cases, uncovered
from launchworthy.promotion import lock
from launchworthy.promotion.checks.assertions import broken, seen
from launchworthy.promotion.finding import Assertion
from launchworthy.promotion.project import CASES, REAL, Project
from launchworthy.promotion.registry import registry

_OMNIBUS = frozenset({"*", "all", "any", "admin", "full", "root", "everything"})


@registry.check("AZ-01")
def code_and_manifests_agree(project: Project) -> Iterator[Assertion]:
    """What is marked in the code is what is declared, both ways, by name and kind."""
    for problem in project.answer.problems:
        yield broken(
            problem.get("what", "cannot be said"), problem.get("where"), *problem.get("fix", "").splitlines()
        )
    marked: set[tuple[str, str]] = {(one.kind, one.name) for one in project.answer.registered}
    declared: dict[tuple[str, str], TargetManifest] = {
        (kind.value, name): target for (kind, name), target in project.manifests.targets.items()
    }
    for kind, name in sorted(marked - declared.keys()):
        yield broken(
            f"the {kind} `{name}` is in the code and in no manifest", None, "declare it, or take it out"
        )
    for kind, name in sorted(declared.keys() - marked):
        where = declared[kind, name].where
        yield broken(
            f"the {kind} `{name}` is declared and not in the code", where, "implement it, or take it out"
        )
    for kind, name in sorted(marked & declared.keys()):
        yield seen(f"{kind} `{name}` is declared, with {' '.join(declared[kind, name].scopes)}")


@registry.check("AZ-03")
def scopes_are_specific(project: Project) -> Iterator[Assertion]:
    """No scope is a wildcard or an omnibus; each names what it is for."""
    for target in project.manifests.targets.values():
        for scope in target.scopes:
            parts = scope.replace(".", ":").replace("/", ":").split(":")
            if "*" in scope or _OMNIBUS.intersection(part.lower() for part in parts) or len(parts) == 1:
                yield broken(
                    f"the scope `{scope}` of `{target.name}` is not specific",
                    target.where,
                    "name resource and action: `orders:read`",
                )
            else:
                yield seen(f"`{scope}` of `{target.name}` is specific")


@registry.check("AZ-05")
def policy_decides_as_expected(project: Project) -> Iterator[Assertion]:
    """Every case comes out as the team expects, and each tool has a yes and a no in each environment."""
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
    for target in project.answer.targets:
        if target.kind != TargetKind.TOOL.value:
            continue
        where = project.manifests.targets[TargetKind.TOOL, target.name].where
        schema = target.published.get("inputSchema", {})
        open_ends = list(_open_ends(schema, schema, "arguments"))
        for what in open_ends:
            yield broken(
                f"`{target.name}`: {what}", where, "give it bounds in the function's types: Field(…)"
            )
        if not open_ends:
            yield seen(f"the arguments of `{target.name}` are closed and bounded")


@registry.check("TL-02")
def definitions_are_pinned(project: Project) -> Iterator[Assertion]:
    """`launchworthy.lock` says what tools, policy and settings promise today."""
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


@registry.check("TL-04")
def annotations_agree_with_effects(project: Project) -> Iterator[Assertion]:
    """What clients are told of a tool's effect is what the manifest says."""
    for target in project.answer.targets:
        if target.kind != TargetKind.TOOL.value:
            continue
        manifest = project.manifests.targets[TargetKind.TOOL, target.name]
        said = target.published.get("annotations", {})
        wanted = {
            "readOnlyHint": manifest.effect is Effect.READ,
            "destructiveHint": manifest.effect is Effect.DESTRUCTIVE,
        }
        wrong = [name for name, value in wanted.items() if _hint(said, name) != value]
        if wrong:
            yield broken(
                f"`{target.name}` tells clients another {wrong[0]}", manifest.where, "upgrade the framework"
            )
        else:
            yield seen(f"`{target.name}` is said to be {manifest.effect}")
        yield from _header_parameters(target.published.get("inputSchema", {}), manifest)


def _hint(said: Mapping[str, Any], name: str) -> bool:
    return bool(said.get(name, False))


def _header_parameters(schema: Mapping[str, Any], manifest: TargetManifest) -> Iterator[Assertion]:
    for name, described in schema.get("properties", {}).items():
        if "x-mcp-header" in described and manifest.argument_class(name).value != "clear":
            yield broken(
                f"`{manifest.name}` sends `{name}` in a header, and it is not clear in the audit",
                manifest.where,
                "take the header away, or say why it may be seen: clear",
            )


def _open_ends(schema: Any, root: Mapping[str, Any], where: str) -> Iterator[str]:
    """Every place of a JSON schema that takes anything, or anything of any size."""
    if not isinstance(schema, dict):
        yield f"{where} takes anything"
        return
    if "$ref" in schema:
        schema = root.get("$defs", {}).get(schema["$ref"].rpartition("/")[2], {})
    if "enum" in schema or "const" in schema or "format" in schema:
        return
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        for choice in choices:
            yield from _open_ends(choice, root, where)
        return
    yield from _open_end_of(schema, root, where)


def _open_end_of(  # noqa: C901 - one arm a type of JSON schema
    schema: Mapping[str, Any], root: Mapping[str, Any], where: str
) -> Iterator[str]:
    match schema.get("type"):
        case "object":
            if schema.get("additionalProperties") is not False:
                yield f"{where} takes more than it names"
            for name, inner in schema.get("properties", {}).items():
                yield from _open_ends(inner, root, name)
        case "array":
            if "maxItems" not in schema:
                yield f"{where} has no longest list"
            yield from _open_ends(schema.get("items"), root, where)
        case "string":
            if "maxLength" not in schema and "pattern" not in schema:
                yield f"{where} has no longest text"
        case "integer" | "number":
            low = "minimum" in schema or "exclusiveMinimum" in schema
            if not (low and ("maximum" in schema or "exclusiveMaximum" in schema)):
                yield f"{where} is a number without bounds"
        case "boolean" | "null":
            return
        case _:
            yield f"{where} takes anything"
