"""Tokens: is the one audience a canonical URL, and does every issuer issue short-lived tokens?"""

from collections.abc import Iterator
from urllib.parse import urlsplit

from launchworthy.manifest import is_placeholder
from launchworthy.promotion.approvals.exceptions import IssuerException, issuer_exceptions
from launchworthy.promotion.checks.assertions import broken, seen
from launchworthy.promotion.finding import Assertion
from launchworthy.promotion.project import Project
from launchworthy.promotion.registry import registry
from launchworthy.settings import Settings
from launchworthy.vocabulary import Environment, ProblemError

_HTTPS = 443
_DAY = 86_400
_MINUTE = 60


@registry.check("TOK-04")
def the_audience_is_canonical(project: Project) -> Iterator[Assertion]:
    """The resource is https, without a trailing slash, and not left for later (RFC 8707 §2)."""
    resource, where = project.settings.server.resource, project.settings.sources.get("server.resource")
    parts = urlsplit(resource)
    if parts.scheme != "https":
        yield broken(f"the resource `{resource}` is not https", where, "use https")
    if parts.query or parts.fragment or parts.port == _HTTPS:
        yield broken(f"the resource `{resource}` is not canonical", where, "no query, no fragment, no :443")
    if resource.endswith("/"):
        yield broken(f"the resource `{resource}` ends in a slash", where, "take the slash away")
    if is_placeholder(resource):
        yield broken("the public URL was left for later", where, 'resource = "https://…"')
    for name, issuer in project.settings.issuers.items():
        if is_placeholder(issuer.issuer):
            yield broken(
                f"the issuer `{name}` was left for later",
                project.settings.sources.get(f"issuers.{name}.issuer"),
                'issuer = "https://…"',
            )
    yield seen(f"the one audience is {resource}")


@registry.check("TOK-04")
def another_audience_is_this_servers_alone(project: Project) -> Iterator[Assertion]:
    """A string that also names this server is another one in each environment."""
    for name, issuer in project.settings.issuers.items():
        exception = issuer.exceptions.audience
        for environment, other in project.others.items():
            if exception is None or isinstance(other, tuple):
                continue
            if exception.value in _audiences(other):
                yield broken(
                    f"the audience `{exception.value}` of `{name}` names the server in `{environment}` too",
                    project.settings.sources.get(f"issuers.{name}.exceptions.audience.value"),
                    "register another client at the issuer for each environment",
                )
    yield seen("no audience here is another environment's")


@registry.check("TOK-06")
def exceptions_are_approved(project: Project) -> Iterator[Assertion]:
    """No rule for tokens is overlooked unless somebody else approved it, and it is not over."""
    for each in issuer_exceptions(project.settings):
        where = project.settings.sources.get(f"{each.field}.until")
        if (mistake := each.terms.mistake(project.now)) is not None:
            yield broken(f"`{each.field}` {mistake}", where, "take it out, or renew it for 90 days at most")
        elif project.rehearsed is Environment.PRODUCTION:
            yield _approved(project, each, where)
        else:
            yield seen(f"{each.issuer}: {each.terms.line()}: {each.terms.reason}")
    yield seen("no other rule is overlooked for any issuer")


@registry.check("TOK-05")
def lifetimes_are_bounded(project: Project) -> Iterator[Assertion]:
    """Each issuer's tokens live an hour at most, or as long as was declared, a day at most."""
    for name, issuer in project.settings.issuers.items():
        longest, leeway = int(issuer.max_lifetime), int(issuer.leeway)
        if longest > _DAY or leeway > _MINUTE:
            yield broken(
                f"tokens of `{name}` may live {longest} s, with clocks {leeway} s apart",
                project.settings.sources.get(f"issuers.{name}.max_lifetime"),
                'max_lifetime = "1h"',
            )
        yield seen(f"tokens of `{name}` live {longest} s at most, and clocks may differ by {leeway} s")


def _approved(project: Project, exception: IssuerException, where: str | None) -> Assertion:
    said = f"{exception.issuer}: {exception.terms.line()}"
    try:
        approval = project.book.require(exception.matter)
    except ProblemError as error:
        return broken(
            f"{said}: {error.problems[0].what}",
            where,
            f"launchworthy approve config/{project.rehearsed}.toml, or have the issuer keep the rule",
        )
    return seen(f"{said}, approved by {approval.name}: {exception.terms.reason}")


def _audiences(settings: Settings) -> frozenset[str]:
    """Every string that names a server in its issuers' tokens."""
    others = (issuer.exceptions.audience for issuer in settings.issuers.values())
    return frozenset((settings.server.resource, *(other.value for other in others if other is not None)))
