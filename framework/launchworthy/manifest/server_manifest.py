"""Who answers for this server, and what does it promise as a whole? (`manifests/server.toml`)."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from launchworthy.manifest.fields import (
    Contact,
    Group,
    Line,
    RateText,
    Reference,
    Retention,
    Scope,
    Table,
    Unique,
)


class Classification(StrEnum):
    """How bad it is when the data gets out; the last is the worst."""

    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    RESTRICTED = "restricted"

    @property
    def rank(self) -> int:
        """Which of two is higher."""
        return tuple(Classification).index(self)

    def is_at_least(self, other: "Classification") -> bool:
        """Whether what the other demands is demanded here too."""
        return self.rank >= other.rank


class Stage(StrEnum):
    """Where the server is in its life."""

    ACTIVE = "active"
    DEPRECATED = "deprecated"
    RETIRED = "retired"


class Ownership(Table):
    """`[ownership]`."""

    owner: Group = Field(description="a group, never a person: `@acme/orders`")
    on_call: Contact = Field(description="an https URL or a mail address that reaches who is on call")
    security: Contact = Field(description="where vulnerabilities are reported")
    approvers: Annotated[tuple[Group, ...], Unique] = Field(
        min_length=1, description="groups that approve promotions they did not write"
    )
    runbook: Reference = Field(description="what to do at night")
    reviewed: date = Field(description="when the owner last read all this; good for 90 days")


class ServerScopes(Table):
    """`[scopes]`."""

    entry: Annotated[tuple[Scope, ...], Unique] = Field(
        description="what the 401 asks for: what a first read needs, never a destructive tool's"
    )
    implies: dict[Scope, Annotated[tuple[Scope, ...], Unique, Field(min_length=1)]] = Field(
        default_factory=dict, description="a granted scope that stands for others too"
    )


class Data(Table):
    """`[data]`."""

    classification: Classification = Field(
        description="public, internal, confidential or restricted: what is demanded grows with it"
    )
    tenancy: Literal["single", "multi"] = Field(
        description="single: one tenant; multi: every token says whose the caller is, and all is kept by it"
    )
    audit_retention: Retention = Field(description="how long audit records are kept: `400d`")


class Budget(Table):
    """`[budget]`: how often one caller may do what, over all tools."""

    write: RateText | None = Field(default=None, description="calls of tools that write: `200/hour`")
    destructive: RateText | None = Field(default=None, description="calls of destructive tools: `5/hour`")


class Lifecycle(Table):
    """`[lifecycle]`."""

    stage: Stage = Field(description="active, deprecated or retired")
    decommission: Reference = Field(description="how it is taken down, and what must be revoked then")


class ServerManifest(Table):
    """Who answers for this server, and what it promises as a whole."""

    name: Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9-]{0,62}$")] = Field(
        description="of the server"
    )
    title: Line = Field(description="what people call it")
    description: Line = Field(description="one sentence")
    ownership: Ownership
    scopes: ServerScopes
    budget: Budget = Budget()
    data: Data
    lifecycle: Lifecycle
