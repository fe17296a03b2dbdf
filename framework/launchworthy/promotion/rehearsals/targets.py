"""What may a rehearsal call? Declared targets, with their examples, and nothing that writes unless it may."""

from collections.abc import Iterator

from launchworthy.manifest import Effect, TargetKind, TargetManifest
from launchworthy.manifest.template import expand
from launchworthy.probe.probed import Target
from launchworthy.promotion.project import Project
from launchworthy.vocabulary import Problem, ProblemError

_METHODS = {
    TargetKind.TOOL: "tools/call",
    TargetKind.RESOURCE: "resources/read",
    TargetKind.PROMPT: "prompts/get",
}


def declared(project: Project) -> Iterator[TargetManifest]:
    """Everything that is declared for the environment that is rehearsed."""
    for target in project.manifests.targets.values():
        if target.runs_in(project.rehearsed):
            yield target


def asking(project: Project) -> list[TargetManifest]:
    """What is declared there and asks somebody before each call."""
    return [each for each in declared(project) if each.approval is not None]


def is_rehearsed(target: TargetManifest) -> bool:
    """Whether its example is run in the simulated world."""
    return target.effect is Effect.READ or target.rehearse


def may_run(target: TargetManifest) -> bool:
    """Whether its example is run for a caller who can ask nobody."""
    return is_rehearsed(target) and target.approval is None


def as_target(manifest: TargetManifest) -> Target:
    """A call of it, with its example; without one, with no arguments."""
    example = dict(manifest.example or {})
    if manifest.kind is TargetKind.RESOURCE:
        params: dict[str, object] = {
            "uri": expand(manifest.uri or "", {name: str(value) for name, value in example.items()})
        }
    else:
        params = {"name": manifest.name, "arguments": example}
    return Target(name=manifest.name, method=_METHODS[manifest.kind], params=params, scopes=manifest.scopes)


def targets_of(project: Project) -> tuple[Target, ...]:
    """Everything that may be run."""
    return tuple(as_target(each) for each in declared(project) if may_run(each))


def usual_target(project: Project) -> Target:
    """What the cases call: a tool that reads, with an example, before anything else.

    Raises:
        ProblemError: nothing that is declared may be run.
    """
    candidates = [each for each in declared(project) if may_run(each)]
    if not candidates:
        problem = Problem(
            reason="nothing-to-rehearse",
            where="manifests/tools.toml",
            what="no target may be run in a rehearsal, so a refusal looks like a server that is broken",
            fix=("give a reading one an `example`, or a writing one `rehearse = true`",),
        )
        raise ProblemError(problem)
    return as_target(min(candidates, key=_preference))


def _preference(target: TargetManifest) -> tuple[bool, bool, bool, str]:
    return (
        target.kind is not TargetKind.TOOL,
        target.effect is not Effect.READ,
        not target.example,
        target.name,
    )
