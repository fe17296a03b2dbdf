"""Tokens: is the one audience a canonical URL, and does every issuer issue short-lived tokens?"""

from collections.abc import Iterator
from urllib.parse import urlsplit

from launchworthy.promotion.checks.assertions import broken, seen
from launchworthy.promotion.finding import Assertion
from launchworthy.promotion.project import Project
from launchworthy.promotion.registry import registry


@registry.check("TOK-04")
def the_audience_is_canonical(project: Project) -> Iterator[Assertion]:
    """The resource is https, without a trailing slash, and not left for later (RFC 8707 §2)."""
    resource, where = project.settings.server.resource, project.settings.sources.get("server.resource")
    parts = urlsplit(resource)
    if parts.scheme != "https":
        yield broken(f"the resource `{resource}` is not https", where, "use https")
    if resource.endswith("/"):
        yield broken(f"the resource `{resource}` ends in a slash", where, "take the slash away")
    if (parts.hostname or "").endswith(".invalid"):
        yield broken("the public URL was left for later", where, 'resource = "https://…"')
    yield seen(f"the one audience is {resource}")


@registry.check("TOK-05")
def lifetimes_are_bounded(project: Project) -> Iterator[Assertion]:
    """Each issuer's tokens live an hour at most, or as long as was declared, a day at most."""
    for name, issuer in project.settings.issuers.items():
        longest, leeway = int(issuer.max_lifetime), int(issuer.leeway)
        yield seen(f"tokens of `{name}` live {longest} s at most, and clocks may differ by {leeway} s")
