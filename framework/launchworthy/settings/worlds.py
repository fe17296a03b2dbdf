"""Are the two worlds apart? The simulated one reaches nothing real, the real one nothing simulated.

Simulated: listeners, resource and issuers on loopback, the identity from a private socket or file and in the
reserved trust domain. Real: none of that, and no value that was left for later.
"""

import re
from collections.abc import Iterator, Mapping

from launchworthy.manifest import is_placeholder
from launchworthy.settings.closed import host_of, is_loopback
from launchworthy.settings.credential_tables import CredentialSettings
from launchworthy.settings.issuer_exceptions import listed
from launchworthy.settings.resolved import Settings
from launchworthy.settings.sweep import texts
from launchworthy.vocabulary import SIMULATED_TRUST_DOMAIN, Environment, Problem

_ADDRESSES = ("issuer", "url", "resource", "endpoint", "authorization_server", "address")
_LAST_INDEX = re.compile(r"(\.[0-9]+)+$")


def check_worlds(
    tables: Settings, environment: Environment, sources: Mapping[str, str]
) -> tuple[Problem, ...]:
    """Tell everything that belongs to the other world.

    Args:
        tables: resolved.
        environment: where this starts.
        sources: where each field came from, by dotted name.
    """
    found = (*(_real_things(tables) if environment.simulated else _simulated_things(tables)),)
    found += tuple(_developers(tables, environment))
    world = "simulated" if environment.simulated else "real"
    return tuple(
        _problem(field, what, environment, world, sources.get(field)) for field, what in found
    ) + tuple(() if environment.simulated else _left_out(tables, environment, sources))


def _real_things(tables: Settings) -> Iterator[tuple[str, str]]:
    for field, host in _hosts(tables):
        if not is_loopback(host):
            yield field, "is not on loopback"
    if not _is_simulated_identity(tables.identity.expected_id):
        yield "identity.expected_id", f"is not in `{SIMULATED_TRUST_DOMAIN}`"
    if any(not _is_of_simulated_domain(name) for name in (*tables.server.peers, *tables.server.proxies)):
        yield "server.peers", f"names a workload outside `{SIMULATED_TRUST_DOMAIN}`"
    if any(domain != SIMULATED_TRUST_DOMAIN for domain in tables.identity.trust_domains):
        yield "identity.trust_domains", f"names another than `{SIMULATED_TRUST_DOMAIN}`"


def _developers(tables: Settings, environment: Environment) -> Iterator[tuple[str, str]]:
    """A developer's own sign-in at a sandbox: the one real thing that development may reach."""
    for name, credential in tables.credentials.items():
        if credential.broker == "developer" and environment is not Environment.DEVELOPMENT:
            yield f"credentials.{name}.broker", "is a developer's own sign-in"


def _stores(tables: Settings) -> Iterator[tuple[str, str]]:
    if tables.state.kind == "valkey" and tables.state.url is not None:
        yield "state.url", host_of(tables.state.url)


def _hosts(tables: Settings) -> Iterator[tuple[str, str]]:
    yield "server.resource", host_of(tables.server.resource)
    yield "server.listen", tables.server.listen[0]
    yield "server.health_bind", tables.server.health_bind[0]
    yield from ((field, host_of(url)) for field, url in _collectors(tables))
    yield from _stores(tables)
    for name, issuer in tables.issuers.items():
        yield f"issuers.{name}.issuer", host_of(issuer.issuer)
        if issuer.jwks_uri is not None:
            yield f"issuers.{name}.jwks_uri", host_of(issuer.jwks_uri)
        if issuer.introspection_endpoint is not None:
            yield f"issuers.{name}.introspection_endpoint", host_of(issuer.introspection_endpoint)
    yield from ((field, host_of(url)) for field, url in _sign_in(tables))
    for name, credential in tables.credentials.items():
        if credential.broker == "developer":
            continue  # see `_developers`
        for field, url in _urls(credential):
            yield f"credentials.{name}.{field}", host_of(url)


def _urls(credential: CredentialSettings) -> Iterator[tuple[str, str]]:
    """Every address of one credential."""
    for field in _ADDRESSES:
        url = getattr(credential, field)
        if url is not None:
            yield field, url


def _simulated_things(tables: Settings) -> Iterator[tuple[str, str]]:
    server, identity = tables.server, tables.identity
    if is_loopback(host_of(server.resource)) or not server.resource.startswith("https://"):
        yield "server.resource", "is on loopback"
    if server.tls == "loopback" and not is_loopback(server.listen[0]):
        yield "server.tls", 'is "loopback" and the listener is not; TLS ends somewhere: "ingress" or "spiffe"'
    state = tables.state
    if state.url is not None and (state.kind == "memory" or not state.url.startswith("rediss://")):
        yield "state.url", 'is for kind = "valkey", and begins with rediss://'
    if _is_simulated_identity(identity.expected_id) or SIMULATED_TRUST_DOMAIN in identity.trust_domains:
        yield "identity.expected_id", f"is in `{SIMULATED_TRUST_DOMAIN}`"
    if any(_is_of_simulated_domain(name) for name in (*server.peers, *server.proxies)):
        yield "server.peers", f"names a workload of `{SIMULATED_TRUST_DOMAIN}`"
    yield from _simulated_addresses(tables)


def _sign_in(tables: Settings) -> Iterator[tuple[str, str]]:
    """Where people sign in, besides the issuer itself."""
    for field in ("authorization_endpoint", "token_endpoint"):
        url = getattr(tables.approval, field)
        if url is not None:
            yield f"approval.{field}", url


def _collectors(tables: Settings) -> Iterator[tuple[str, str]]:
    """Where we send what is for others to keep."""
    if tables.audit.anchor_url is not None:
        yield "audit.anchor_url", tables.audit.anchor_url
    if tables.telemetry.endpoint is not None:
        yield "telemetry.endpoint", tables.telemetry.endpoint


def _simulated_addresses(tables: Settings) -> Iterator[tuple[str, str]]:
    addresses = (*_collectors(tables), *_sign_in(tables))
    clear = [field for field, url in addresses if not url.startswith("https://")]
    yield from ((field, "is not https") for field in clear)
    for name, issuer in tables.issuers.items():
        for field in ("issuer", "jwks_uri", "introspection_endpoint"):
            url = getattr(issuer, field)
            if url is not None and (is_loopback(host_of(url)) or not url.startswith("https://")):
                yield f"issuers.{name}.{field}", "is on loopback"
    for name, credential in tables.credentials.items():
        for field, url in _urls(credential):
            if is_loopback(host_of(url)) or not url.startswith("https://"):
                yield f"credentials.{name}.{field}", "is on loopback"


def _is_simulated_identity(subject: str) -> bool:
    return subject.startswith((f"spiffe://{SIMULATED_TRUST_DOMAIN}/", f"{SIMULATED_TRUST_DOMAIN}:"))


def _left_out(tables: Settings, environment: Environment, sources: Mapping[str, str]) -> Iterator[Problem]:
    yield from _placeholders(tables, environment, sources)
    if tables.control.file is None:
        yield Problem(
            reason="no-control-file",
            where=f"config/{environment}.toml",
            what=f"names no control list, and `{environment}` must be able to stop a tool at once",
            fix=("[control]", 'file = "/etc/launchworthy/control.toml"'),
            field="control.file",
        )
    if tables.control.key is not None and tables.state.kind == "memory":
        yield Problem(
            reason="bad-value",
            where=sources.get("control.key"),
            what="`control.key` seals a list in the store, and nothing is shared: [state] kind is `memory`",
            fix=("[state]", 'kind = "valkey"', "or take the key out: the file counts alone"),
            field="control.key",
        )


def _is_of_simulated_domain(peer: str) -> bool:
    return peer.removeprefix("spiffe://").partition("/")[0] == SIMULATED_TRUST_DOMAIN


def _placeholders(
    tables: Settings, environment: Environment, sources: Mapping[str, str]
) -> Iterator[Problem]:
    for field, value in texts_of(tables):
        if is_placeholder(value):
            yield Problem(
                reason="placeholder-left",
                where=sources.get(field) or sources.get(_LAST_INDEX.sub("", field)),
                what=f"`{field}` was left for later, and `{environment}` is now",
                fix=("put the real one there",),
                field=field,
            )


def texts_of(tables: Settings) -> Iterator[tuple[str, str]]:
    """The names that must be real ones, by dotted field."""
    yield "server.resource", tables.server.resource
    for origin in tables.server.allowed_origins:
        yield "server.allowed_origins", origin
    for field in ("peers", "proxies"):
        for name in getattr(tables.server, field):
            yield f"server.{field}", name
    yield "identity.expected_id", tables.identity.expected_id
    for domain in tables.identity.trust_domains:
        yield "identity.trust_domains", domain
    yield from _addresses(tables)
    for key, value in texts(tables.promoted.get("app", {}), ("app",)):
        yield ".".join(key), value


def _addresses(tables: Settings) -> Iterator[tuple[str, str]]:
    for name, issuer in tables.issuers.items():
        yield f"issuers.{name}.issuer", issuer.issuer
        yield f"issuers.{name}.jwks_uri", issuer.jwks_uri or ""
        yield f"issuers.{name}.introspection_endpoint", issuer.introspection_endpoint or ""
        for each in listed(issuer.exceptions):
            yield f"issuers.{name}.exceptions.{each.rule}.value", each.value or ""
    for name, credential in tables.credentials.items():
        for field, url in _urls(credential):
            yield f"credentials.{name}.{field}", url
    yield "approval.client", tables.approval.client or ""
    yield from _sign_in(tables)


def _problem(field: str, what: str, environment: Environment, world: str, where: str | None) -> Problem:
    return Problem(
        reason="wrong-world",
        where=where,
        what=f"`{field}` {what}, and `{environment}` is in the {world} world",
        fix=("start it where it belongs, or correct the field",),
        field=field,
    )
