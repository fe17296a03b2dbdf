"""What can a rule look at? One table: where it stands in Cedar's context, its type, and where it comes from.

Nothing else reaches policy: no header, no `_meta`, no client's word, and no argument that the manifest does
not show.
"""

from collections.abc import Callable
from dataclasses import dataclass

from launchworthy.manifest import InputType, PolicyInput, TargetManifest
from launchworthy.policy.query import Query
from launchworthy.vocabulary import Environment, Reason, Refused, tenant_of

Value = str | int | bool | frozenset[str] | None
"""A value as Cedar gets it; hashable, because decisions are kept by the values they read. None: not there."""
Path = tuple[str, ...]

MAX_TEXT = 4096
MAX_TEXTS = 256
_LARGEST = 2**63
PRINCIPAL_ATTRIBUTES = ("issuer", "kind", "subject")
TARGET_ATTRIBUTES = ("effect", "kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One leaf of the context.

    Attributes:
        path: where a rule finds it: `("token", "client")`.
        cedar_type: its type in the schema.
        value: what it is for a query; may refuse.
        optional: whether it may be absent.
        passes: whether it changes while nothing else does, as a token's age.
    """

    path: Path
    cedar_type: str
    value: Callable[[Query], Value]
    optional: bool = False
    passes: bool = False


_APPROVED = Attribute(
    path=("approved",), cedar_type="Bool", value=lambda query: query.approved is not None, passes=True
)
"""Only where somebody must approve; it is used up, so no decision that looks at it is kept."""

_TENANT = Attribute(path=("tenant",), cedar_type="String", value=lambda query: tenant_of(query.principal))
"""Only where there are several tenants; a rule of a server for one could not mean anything by it."""


def context_attributes(
    target: TargetManifest, environment: Environment, *, has_tenants: bool
) -> tuple[Attribute, ...]:
    """Everything that a rule may look at in a call of this target."""
    return (
        Attribute(path=("environment",), cedar_type="String", value=lambda _: environment.value),
        Attribute(
            path=("delegation_depth",), cedar_type="Long", value=lambda query: len(query.principal.actors)
        ),
        Attribute(path=("peer",), cedar_type="String", value=lambda query: query.peer, optional=True),
        Attribute(
            path=("forwarded_peer",),
            cedar_type="String",
            value=lambda query: query.forwarded_peer,
            optional=True,
        ),
        Attribute(path=("token", "client"), cedar_type="String", value=lambda query: query.principal.client),
        Attribute(
            path=("token", "scopes"), cedar_type="Set<String>", value=lambda query: query.principal.scopes
        ),
        Attribute(path=("token", "age_seconds"), cedar_type="Long", value=_age, passes=True),
        *(_argument(known) for known in target.inputs),
        *((_TENANT,) if has_tenants else ()),
        *((_APPROVED,) if target.approval is not None else ()),
    )


def _age(query: Query) -> int:
    """Whole seconds since the token was issued; an issuer's clock that runs ahead makes it zero."""
    return max(0, query.now - query.principal.issued_at)


def _argument(known: PolicyInput) -> Attribute:
    cedar_type, project = _PROJECTIONS[known.type]

    def value(query: Query) -> Value:
        given = query.arguments.get(known.name)
        if given is None:
            if known.optional:
                return None
            raise Refused(Reason.TOOL_POLICY, f"the argument `{known.name}`, which policy reads, is missing")
        projected = project(given)
        if projected is None:
            raise Refused(
                Reason.TOOL_POLICY,
                f"the argument `{known.name}` is not of the type ({known.type}) that policy reads",
            )
        return projected

    return Attribute(
        path=("arguments", known.name), cedar_type=cedar_type, value=value, optional=known.optional
    )


def _string(given: object) -> Value:
    if type(given) is not str or len(given) > MAX_TEXT:
        return None
    try:
        given.encode()
    except UnicodeEncodeError:
        return None
    return given


def _integer(given: object) -> Value:
    return given if type(given) is int and -_LARGEST <= given < _LARGEST else None


def _boolean(given: object) -> Value:
    return given if type(given) is bool else None


def _strings(given: object) -> Value:
    if not isinstance(given, list | tuple) or len(given) > MAX_TEXTS:
        return None
    texts = [text for text in map(_string, given) if isinstance(text, str)]
    return frozenset(texts) if len(texts) == len(given) else None


_PROJECTIONS: dict[InputType, tuple[str, Callable[[object], Value]]] = {
    InputType.STRING: ("String", _string),
    InputType.INTEGER: ("Long", _integer),
    InputType.BOOLEAN: ("Bool", _boolean),
    InputType.STRINGS: ("Set<String>", _strings),
}
