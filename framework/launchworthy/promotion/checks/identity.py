"""Identity: is it one of its own, distinct in each environment, and nothing of the simulated world?"""

from collections.abc import Iterator

from launchworthy.promotion.checks.assertions import broken, seen
from launchworthy.promotion.checks.source import mentions
from launchworthy.promotion.finding import Assertion
from launchworthy.promotion.project import REAL, Project
from launchworthy.promotion.registry import registry
from launchworthy.settings import Settings, check_worlds
from launchworthy.vocabulary import SIMULATED_TRUST_DOMAIN, Problem


@registry.check("ID-01")
def a_dedicated_workload_identity(project: Project) -> Iterator[Assertion]:
    """The identity is a workload's, in an accepted trust domain; no person's, nothing left for later."""
    identity, sources = project.settings.identity, project.settings.sources
    where = sources.get("identity.expected_id")
    if "@" in identity.expected_id:
        yield broken(
            f"`{identity.expected_id}` looks like a person", where, "name the workload's own identity"
        )
    domain = identity.expected_id.removeprefix("spiffe://").partition("/")[0]
    if identity.kind == "spiffe" and domain not in identity.trust_domains:
        yield broken(
            f"`{identity.expected_id}` is in none of the trust domains",
            where,
            f'trust_domains = ["{domain}"]',
        )
    problems = _world_problems(project)
    yield from (_told(problem) for problem in problems if (problem.field or "").startswith("identity."))
    yield seen(f"{project.rehearsed} runs as {identity.expected_id} (kind {identity.kind})")


@registry.check("ID-02")
def identities_differ_between_environments(project: Project) -> Iterator[Assertion]:
    """Resource, identity and issuers are pairwise distinct between the real environments."""
    for environment in REAL:
        other = project.others.get(environment)
        if other is None:
            continue
        if isinstance(other, tuple):
            yield from (_told(problem) for problem in other)
            continue
        mine = {value: field for field, value in _distinguishing(project.settings)}
        for field, value in _distinguishing(other):
            if value in mine:
                yield broken(
                    f"`{field}` of {environment} is `{mine[value]}` of {project.rehearsed}",
                    other.sources.get(field),
                    "give each environment its own",
                )
            else:
                yield seen(f"`{field}` of {environment} is its own")


@registry.check("ID-05")
def nothing_simulated_is_left(project: Project) -> Iterator[Assertion]:
    """No setting of the real world names the simulated one, and the package imports nothing of it."""
    problems = [each for each in _world_problems(project) if each.reason == "wrong-world"]
    yield from (_told(problem) for problem in problems)
    yield seen(f"no setting of {project.rehearsed} names loopback or {SIMULATED_TRUST_DOMAIN}")
    for mention in mentions(project):
        if mention.name.startswith("launchworthy.testing"):
            yield broken("the package names the simulated world", mention.where, "leave it to tests/")
    yield seen("the package names nothing of launchworthy.testing")


def _distinguishing(settings: Settings) -> Iterator[tuple[str, str]]:
    """What no two environments may share, by field; written in two ways it is still the same."""
    yield "server.resource", _plain(settings.server.resource)
    yield "identity.expected_id", settings.identity.expected_id
    for name, table in settings.issuers.items():
        yield f"issuers.{name}.issuer", _plain(table.issuer)


def _plain(url: str) -> str:
    return url.rstrip("/").casefold()


def _world_problems(project: Project) -> tuple[Problem, ...]:
    return check_worlds(project.settings, project.rehearsed, project.settings.sources)


def _told(problem: Problem) -> Assertion:
    return broken(problem.what, problem.where, *problem.fix)
