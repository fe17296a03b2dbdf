"""What does a team expect of its policy? `tests/policy.toml`, read as strictly as a manifest."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, JsonValue, StringConstraints, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from launchworthy.manifest import (
    Manifests,
    Name,
    Scope,
    SourceFile,
    Table,
    TargetKind,
    TargetManifest,
    mistakes,
    read_toml,
)
from launchworthy.vocabulary import Environment, Principal, PrincipalKind, Problem, ProblemError

MAX_AGE = 86_400
MAX_ACTORS = 4
_KINDS = {"call": TargetKind.TOOL, "read": TargetKind.RESOURCE, "prompt": TargetKind.PROMPT}


class CaseTable(Table):
    """`[[cases]]`: who asks for what, and the answer."""

    call: Name | None = Field(default=None, description="a tool")
    read: Name | None = Field(default=None, description="a resource, by its function's name")
    prompt: Name | None = Field(default=None, description="a prompt")
    scopes: tuple[Scope, ...] = Field(description="what the token grants")
    expect: Annotated[
        str, StringConstraints(pattern="^(allow|scope|environment|approval|guard:tenant:.+|team:[a-z0-9-]+)$")
    ] = Field(description="allow, scope, environment, approval, or the `team:` or `guard:` rule that says no")
    approved: bool = Field(default=False, description="whether somebody has approved exactly this call")
    arguments: dict[Name, JsonValue] = Field(
        default_factory=dict, description="in the place of those of the manifest's example"
    )
    environment: Literal["development", "staging", "production"] | None = Field(
        default=None, description="left out: each in which the target runs"
    )
    kind: Literal["person", "machine"] = Field(default="machine", description="of the caller")
    issuer: str = Field(default="https://issuer.invalid", description="of the token")
    subject: str = Field(default="caller", description="of the token")
    client: str = Field(default="client", description="of the token")
    tenant: str | None = Field(
        default=None, description="of the token, where there are several; left out: the manifest's example's"
    )
    delegation_depth: int = Field(
        default=0, ge=0, le=MAX_ACTORS, description="how many agents it came through"
    )
    age_seconds: int = Field(default=0, ge=0, le=MAX_AGE, description="of the token")
    peer: str | None = Field(default=None, description="SPIFFE ID of the connection's other end")
    forwarded_peer: str | None = Field(default=None, description="SPIFFE ID for which a proxy speaks")

    @model_validator(mode="after")
    def _about_one_thing(self) -> "CaseTable":
        if [self.call, self.read, self.prompt].count(None) != len(_KINDS) - 1:
            raise PydanticCustomError("bad-value", "a case has one of `call`, `read` and `prompt`")
        return self


class CasesFile(Table):
    """`tests/policy.toml`."""

    cases: tuple[CaseTable, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One expected decision.

    Attributes:
        target: what is asked for.
        environment: the one it is about; None is each in which the target runs.
        principal: the caller.
        arguments: the manifest's example with the case's own.
        now: the instant of the call; the token was issued at zero.
        peer: SPIFFE ID of the connection's other end, or None.
        forwarded_peer: SPIFFE ID for which a trusted proxy speaks, or None.
        approved: whether somebody has approved it.
        expect: `allow`, `scope`, `environment`, `approval` or the id of a rule.
        where: `tests/policy.toml:12`.
    """

    target: TargetManifest
    environment: Environment | None
    principal: Principal
    arguments: Mapping[str, object]
    now: int
    peer: str | None
    forwarded_peer: str | None
    approved: bool
    expect: str
    where: str

    def applies_in(self, environment: Environment) -> bool:
        """Whether the case says something about this environment."""
        if self.environment is None:
            return self.target.runs_in(environment)
        return self.environment is environment


def load_cases(path: str, content: bytes, manifests: Manifests) -> tuple[Case, ...]:
    """Read the cases of a project.

    Args:
        path: `tests/policy.toml`.
        content: of the file.
        manifests: what can be asked for; their examples are the arguments that a case leaves out.

    Raises:
        ProblemError: every mistake, with its line.
    """
    source, data = read_toml(path, content, topic="cases")
    try:
        tables = CasesFile.model_validate_json(json.dumps(data)).cases
    except ValidationError as error:
        raise ProblemError(*mistakes(error, CasesFile, source)) from None
    problems = tuple(_unknown(tables, manifests, source))
    if problems:
        raise ProblemError(*problems)
    return tuple(
        _case(table, manifests, source.where(("cases", str(number)))) for number, table in enumerate(tables)
    )


def _key(table: CaseTable) -> tuple[TargetKind, str]:
    return next((kind, name) for field, kind in _KINDS.items() if (name := getattr(table, field)) is not None)


def _unknown(tables: tuple[CaseTable, ...], manifests: Manifests, source: SourceFile) -> Iterator[Problem]:
    for number, table in enumerate(tables):
        kind, name = _key(table)
        if (kind, name) not in manifests.targets:
            yield source.problem(
                "unknown-target",
                ("cases", str(number)),
                f"has a case about the {kind} `{name}`, and no manifest declares it",
                "correct the name, or take the case out",
            )


def _case(table: CaseTable, manifests: Manifests, where: str) -> Case:
    target = manifests.targets[_key(table)]
    return Case(
        target=target,
        environment=None if table.environment is None else Environment(table.environment),
        principal=Principal(
            issuer=table.issuer,
            subject=table.subject,
            client=table.client,
            kind=PrincipalKind(table.kind),
            scopes=frozenset(table.scopes),
            actors=tuple(f"actor-{number + 1}" for number in range(table.delegation_depth)),
            token_id="case",  # noqa: S106 - a name, not a token
            issued_at=0,
            expires_at=MAX_AGE,
            tenant=(table.tenant or manifests.example_tenant) if manifests.has_tenants else None,
        ),
        arguments={**(target.example or {}), **table.arguments},
        now=table.age_seconds,
        peer=table.peer,
        forwarded_peer=table.forwarded_peer,
        approved=table.approved,
        expect=table.expect,
        where=where,
    )
