"""Keys: where are they looked for, by the settings alone?"""

from collections.abc import Iterator

from launchworthy.promotion.checks.assertions import broken, seen
from launchworthy.promotion.finding import Assertion
from launchworthy.promotion.project import Project
from launchworthy.promotion.registry import registry
from launchworthy.tokens.endpoint import EndpointError, read_endpoint


@registry.check("KEY-07")
def keys_come_from_named_hosts(project: Project) -> Iterator[Assertion]:
    """Each issuer and each key set that is named lie on https hosts with a name."""
    settings = project.settings
    for name, table in settings.issuers.items():
        for field, url in (("issuer", table.issuer), ("jwks_uri", table.jwks_uri)):
            if url is None:
                continue
            where = settings.sources.get(f"issuers.{name}.{field}")
            try:
                read_endpoint(url, allow_loopback_http=False, query=field == "jwks_uri")
            except EndpointError as error:
                yield broken(f"`{field}` of `{name}`: {error}", where, "name an https host by its plain name")
            else:
                yield seen(f"`{field}` of `{name}` is on an https host with a name")
        if table.jwks_uri is None:
            yield seen(f"the key set of `{name}` is found by the metadata of {table.issuer}")
