"""Which fields does a table of a tool, a resource or a prompt have?

To add a field: here, in `target.py` (what others see of it) and in `lock.py` (if a reviewer must see it
change).
"""

from typing import Annotated, Literal

from pydantic import Field, JsonValue, StringConstraints

from launchworthy.manifest.approval import ApprovalField
from launchworthy.manifest.fields import (
    ActsOn,
    CredentialName,
    CredentialTime,
    Egress,
    InputName,
    Name,
    RateText,
    Scope,
    Table,
    Timeout,
    Unique,
    Uri,
)
from launchworthy.manifest.target import ArgumentClass, Effect, Visibility

RunsIn = Literal["development", "staging", "production"]
"""A rehearsal has no promises of its own: it rehearses those of the environment to be promoted to."""


class CredentialTable(Table):
    """`credentials.<name>` of a target: what it may borrow."""

    scopes: Annotated[tuple[Scope, ...], Unique] = Field(
        default=(), max_length=64, description="what it asks for, and nothing wider"
    )
    ttl: CredentialTime = Field(description="the longest that it may live: `2m`, at most an hour")


class TargetTable(Table):
    """What tools, resources and prompts have in common."""

    scopes: Annotated[tuple[Scope, ...], Unique] = Field(
        min_length=1, max_length=64, description="who may call it: all of them are required"
    )
    environments: Annotated[tuple[RunsIn, ...], Unique] | None = Field(
        default=None, min_length=1, description="where it may be called; left out: everywhere"
    )
    arguments: dict[Name, ArgumentClass] = Field(
        default_factory=dict, description="in the audit: clear, hmac (default), drop"
    )
    clear_reason: Annotated[str, StringConstraints(min_length=10, max_length=300)] | None = Field(
        default=None, description="why arguments stand in the audit in clear; restricted data demands it"
    )
    policy_inputs: Annotated[tuple[InputName, ...], Unique] = Field(
        default=(), max_length=32, description="all that policy may look at; `name?` where it may be missing"
    )
    tenant_argument: Name | None = Field(
        default=None, description="the argument that names a tenant: a caller of another one is refused"
    )
    example: dict[Name, JsonValue] | None = Field(
        default=None, description="valid arguments: rehearsed, shown in docs and `dev call`"
    )
    timeout: Timeout | None = Field(
        default=None, description="how long a call may take: `10s`, at most 5 minutes; left out: `30s`"
    )
    credentials: dict[CredentialName, CredentialTable] = Field(
        default_factory=dict,
        description="what it may borrow, by the name in the settings",
    )
    egress: Annotated[tuple[Egress, ...], Unique] = Field(
        default=(),
        max_length=32,
        description="what its own code may connect to, besides `call.upstream`: `db.acme.example:5432`",
    )
    rate: RateText | None = Field(
        default=None, description="how often one caller may call it: `10/minute`, in any minute"
    )
    concurrency: int | None = Field(
        default=None, ge=1, le=1000, description="how many calls of one caller may run at once"
    )
    visibility: Visibility = Field(
        default=Visibility.SCOPED,
        description="scoped: listed for callers with its scopes; secret: never listed",
    )


class ToolTable(TargetTable):
    """`[tools.<function>]`."""

    effect: Effect = Field(description="read, write or destructive: say what it does")
    acts_on: ActsOn | None = Field(
        default=None, description="the object of a call, and the audit's subject: `order/{order_id}`"
    )
    rehearse: bool = Field(default=False, description="run the example of a write in the simulated world")
    approval: ApprovalField | None = Field(
        default=None,
        description="who agrees to each call: `url`, a signed-in person on a page; `form`, the client asks "
        "its user; or `none`; left out: `url` for a destructive tool, else `none`",
    )
    approval_reason: Annotated[str, StringConstraints(min_length=10, max_length=300)] | None = Field(
        default=None, description="why a destructive tool needs nobody's approval"
    )


class ResourceTable(TargetTable):
    """`[resources.<function>]`."""

    uri: Uri = Field(description="`orders://order/{order_id}`; its variables are the function's arguments")
    completions: bool = Field(
        default=False, description="whether callers with its scopes may ask what a variable could be"
    )


class PromptTable(TargetTable):
    """`[prompts.<function>]`."""

    completions: bool = Field(
        default=False, description="whether callers with its scopes may ask what an argument could be"
    )


class TargetsFile(Table):
    """Any file of `manifests/` but `server.toml`."""

    tools: dict[Name, ToolTable] = Field(default_factory=dict)
    resources: dict[Name, ResourceTable] = Field(default_factory=dict)
    prompts: dict[Name, PromptTable] = Field(default_factory=dict)
