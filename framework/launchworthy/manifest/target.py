"""What does one tool, resource or prompt need and risk?"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from launchworthy.manifest.approval import ApprovalRule
from launchworthy.manifest.egress import Destination
from launchworthy.manifest.rate import Rate
from launchworthy.manifest.template import expand
from launchworthy.vocabulary import Environment


class Effect(StrEnum):
    """What a call does to the world."""

    READ = "read"
    WRITE = "write"
    DESTRUCTIVE = "destructive"


class TargetKind(StrEnum):
    """What can be asked for."""

    TOOL = "tool"
    RESOURCE = "resource"
    PROMPT = "prompt"


class ArgumentClass(StrEnum):
    """How an argument appears in the audit."""

    CLEAR = "clear"
    HMAC = "hmac"
    DROP = "drop"


class Visibility(StrEnum):
    """Who sees that it is there: callers with its scopes, or nobody."""

    SCOPED = "scoped"
    SECRET = "secret"  # noqa: S105 - a word of the manifest


class InputType(StrEnum):
    """What policy may see of an argument; the type is its value in the `example`."""

    STRING = "string"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    STRINGS = "strings"


TargetKey = tuple[TargetKind, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyInput:
    """An argument that policy may look at.

    Attributes:
        name: the argument's.
        type: its type, as the manifest's example has it.
        optional: written `name?`: it may be missing or null, and a rule must ask `has` before it looks.
    """

    name: str
    type: InputType
    optional: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialAllowance:
    """What one target may borrow of one credential.

    Attributes:
        scopes: what it may ask for, and nothing wider; empty where the credential has none.
        ttl: the longest that it may live, in seconds.
    """

    scopes: tuple[str, ...]
    ttl: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetManifest:
    """The promise about one target; a field that its kind does not have is None or empty.

    Attributes:
        kind: tool, resource or prompt.
        name: the function's name.
        scopes: all of them are required; at least one.
        effect: resources and prompts read.
        environments: where it runs; None is everywhere.
        arguments: audit classes, where they are not the default.
        clear_reason: why some of them stand there in clear.
        inputs: the arguments that policy may look at.
        tenant_argument: the argument that names the tenant whose object it is; None where none does.
        acts_on: the object of a call: `order/{order_id}`.
        example: valid arguments.
        rehearse: whether the example of a write is executed in the simulated world.
        approval: who must agree to each call; None is nobody.
        approval_reason: why a destructive tool needs no approval.
        timeout_seconds: how long a call may take.
        credentials: what it may borrow, by the table in the settings.
        egress: what its own code may connect to, besides its upstreams.
        rate: how often one caller may call it, where the manifest says it.
        concurrency: how many calls of one caller may run at once, where the manifest says it.
        visibility: whether it is listed.
        uri: of a resource; with variables it is a template.
        completions: whether clients may ask what an argument could be; prompts and templates only.
        where: `manifests/tools.toml:12`.
    """

    kind: TargetKind
    name: str
    scopes: tuple[str, ...]
    effect: Effect
    environments: frozenset[Environment] | None
    arguments: Mapping[str, ArgumentClass]
    clear_reason: str | None
    inputs: tuple[PolicyInput, ...]
    tenant_argument: str | None
    acts_on: str | None
    example: Mapping[str, Any] | None
    rehearse: bool
    approval: ApprovalRule | None
    approval_reason: str | None
    timeout_seconds: float
    credentials: Mapping[str, CredentialAllowance]
    egress: tuple[Destination, ...]
    rate: Rate | None
    concurrency: int | None
    visibility: Visibility
    uri: str | None
    completions: bool
    where: str

    @property
    def key(self) -> TargetKey:
        """What tells one target from another."""
        return (self.kind, self.name)

    @property
    def policy_inputs(self) -> tuple[str, ...]:
        """The names of the arguments that policy may look at."""
        return tuple(policy_input.name for policy_input in self.inputs)

    @property
    def example_tenant(self) -> str | None:
        """Whose object the example is about; None where no argument says it."""
        if self.tenant_argument is None or self.example is None:
            return None
        return str(self.example[self.tenant_argument]) if self.tenant_argument in self.example else None

    def argument_class(self, name: str) -> ArgumentClass:
        """How this argument appears in the audit; a name that the manifest leaves out is pseudonymised."""
        return self.arguments.get(name, ArgumentClass.HMAC)

    def runs_in(self, environment: Environment) -> bool:
        """Whether it may be called in this environment at all."""
        return self.environments is None or environment in self.environments

    def subject(self, arguments: Mapping[str, object]) -> str | None:
        """Name the object of a call for the audit: `order/17`; None where the manifest names none.

        Only arguments of class `clear` can stand in it; the manifest is refused otherwise.
        """
        if self.acts_on is None:
            return None
        return expand(self.acts_on, {name: _as_text(value) for name, value in arguments.items()})


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), default=str)
