"""Secrets: can no setting hold one, and is there none in the tree?"""

from collections.abc import Iterator

from launchworthy.detection import Finding
from launchworthy.promotion.checks.assertions import broken, seen
from launchworthy.promotion.finding import Assertion
from launchworthy.promotion.project import Project
from launchworthy.promotion.registry import registry
from launchworthy.promotion.scanning.leaks import found_in
from launchworthy.promotion.scanning.texts import MAX_TEXT


@registry.check("SEC-01")
def settings_cannot_hold_a_secret(project: Project) -> Iterator[Assertion]:
    """The team's settings class has closed types only; the framework's own are checked at definition."""
    for what in project.answer.weak:
        yield broken(
            what, f"src/{project.package}/server.py", "use the closed types of launchworthy.settings"
        )
    if not project.answer.weak:
        yield seen("no field of the settings class can hold a secret")
    yield seen(f"no secret in config/{project.rehearsed}.toml: it was read")
    for environment, other in project.others.items():
        for problem in other if isinstance(other, tuple) else ():
            if problem.reason == "secret-by-value":
                yield broken(problem.what, problem.where or f"config/{environment}.toml", *problem.fix)


@registry.check("SEC-02")
def there_is_no_secret_in_the_tree(project: Project) -> Iterator[Assertion]:
    """Every text file below the root, tracked or not, holds no secret by name, shape or checksum."""
    for one in project.tree:
        if not one.whole:
            yield broken(
                f"the file is longer than the {MAX_TEXT // 1024**2} MiB that are looked at",
                one.path,
                "split it, or keep it elsewhere",
            )
        for finding in found_in(one):
            yield broken(
                _what(finding),
                one.path if one.binary else f"{one.path}:{finding.line}",
                "rotate it first: whoever can read the tree has it by now; then take it out",
            )
    yield seen(
        f"{len(project.tree)} files of the tree hold no secret that is known by name, shape or checksum"
    )


def _what(finding: Finding) -> str:
    under = f" in `{finding.field}`" if finding.field is not None else ""
    return f"the tree holds a secret{under}: {finding.kind.replace('-', ' ')}"
