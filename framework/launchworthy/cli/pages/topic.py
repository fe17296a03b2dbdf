"""Which fields are there? The pages of the files that people write, from the models that read them."""

from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from launchworthy.cli.pages.field_types import type_of
from launchworthy.cli.pages.layout import fields, wrapped
from launchworthy.manifest import ServerManifest
from launchworthy.manifest.tool import PromptTable, ResourceTable, TargetTable, ToolTable
from launchworthy.policy.case_file import CaseTable
from launchworthy.promotion.trusted import EvidenceTable, PromotionFile, RotationTable, WaiverTable
from launchworthy.settings import WorldSettings
from launchworthy.settings.closed import Deployment
from launchworthy.settings.loading import REPLACEABLE
from launchworthy.settings.tables import FileTables
from launchworthy.state.control.entries import DenyTable, GrantTable, StopTable

_LOOKED_AT = (
    ("principal.issuer", "String", "of the token"),
    ("principal.kind", "String", "person or machine"),
    ("principal.subject", "String", "of the token"),
    ("resource.effect", "String", "read, write or destructive"),
    ("resource.kind", "String", "tool, resource or prompt"),
    ("context.environment", "String", "development, staging or production"),
    ("context.delegation_depth", "Long", "how many agents the call came through"),
    ("context.peer", "String", "SPIFFE ID of the connection's other end; ask `has` first"),
    ("context.forwarded_peer", "String", "SPIFFE ID for which a proxy speaks; ask `has` first"),
    ("context.token.client", "String", "through whom it is called"),
    ("context.token.scopes", "Set<String>", "what the token grants"),
    ("context.token.age_seconds", "Long", "since it was issued"),
    ("context.tenant", "String", "where there are several tenants"),
    ("context.approved", "Bool", "where somebody must approve: whether they have, exactly this call"),
    ("context.arguments.<name>", "as in the schema", "what `policy_inputs` names; ask `has` for a `name?`"),
)


def topic_pages() -> dict[str, str]:
    """A page for each kind of file."""
    return {
        "tools": "\n".join(_tools()).rstrip(),
        "server": "\n".join(_server()).rstrip(),
        "settings": "\n".join(_settings()).rstrip(),
        "world": "\n".join(_world()).rstrip(),
        "cases": "\n".join(_cases()).rstrip(),
        "policy": "\n".join(_policy()).rstrip(),
        "promotion.toml": "\n".join(_ledger()).rstrip(),
        "control-file": "\n".join(_control()).rstrip(),
    }


def _ledger() -> Iterator[str]:
    yield from _head(
        "promotion.toml",
        "what promotion takes on trust; each entry counts with an approval only: "
        "launchworthy approve promotion.toml",
    )
    yield from _table("before any table", PromotionFile, without={"waivers", "rotations", "evidence"})
    yield from _table("[[waivers]]", WaiverTable)
    yield from _table("[[rotations]]", RotationTable)
    yield from _table("[[evidence]]", EvidenceTable)


def _tools() -> Iterator[str]:
    yield from _head(
        "manifests/tools.toml", "every tool, resource and prompt; what is not declared is not served"
    )
    shared = set(TargetTable.model_fields)
    yield from _table("[tools.<function>]", ToolTable)
    yield from _table("[resources.<function>], besides what prompts have", ResourceTable, without=shared)
    yield from _table("[prompts.<function>]", PromptTable)


def _server() -> Iterator[str]:
    yield from _head("manifests/server.toml", "who answers for this server, and what it promises as a whole")
    yield from _tables(ServerManifest)


def _settings() -> Iterator[str]:
    yield from _head(
        "config/<environment>.toml",
        "promoted with the code; only what is marked (local) may be set by the deployment, as "
        "LAUNCHWORTHY_SERVER__LISTEN=…",
    )
    yield from _tables(FileTables)
    yield " [app]"
    yield "   yours: the class that Server(settings=…) names"


def _world() -> Iterator[str]:
    yield from _head(
        "the file that LAUNCHWORTHY_WORLD names",
        "what the simulated world replaces, in development and rehearsals only; `launchworthy dev` writes it",
    )
    for table, names in REPLACEABLE.items():
        yield f" [{table}{'.<name>' if table in ('issuers', 'credentials') else ''}]"
        yield from wrapped(" ".join(sorted(names)), "   ", "   ")
        yield ""
    yield from _table("[world]", WorldSettings)


def _cases() -> Iterator[str]:
    yield from _head(
        "tests/policy.toml", "what must be allowed and what denied; try it: launchworthy policy test"
    )
    yield from _table("[[cases]]", CaseTable)


def _control() -> Iterator[str]:
    yield from _head(
        "the file that [control] file names",
        "what is stopped, denied or lifted now; `launchworthy control` writes it, each server reads it "
        "every second",
    )
    yield from _table("[[stop]]", StopTable)
    yield from _table("[[deny]], with exactly one of subject, client and token", DenyTable)
    yield from _table("[[grant]], which counts with the approvals of two people only", GrantTable)


def _policy() -> Iterator[str]:
    yield from _head(
        "policy/*.cedar",
        "a team's own rules, in Cedar; they can only forbid, and narrow what the manifests allow",
    )
    yield '   @id("team:no-bulk-orders")'
    yield '   @says("an agent orders at most 20 of an article; a person orders more in the shop")'
    yield '   forbid (principal, action == Action::"place_order", resource)'
    yield "   when { context.arguments.quantity > 20 };"
    yield ""
    yield from wrapped(
        'An action is `Action::"place_order"`, `Action::"resource:order"` or `Action::"prompt:triage"`. '
        "A rule sees of the arguments what `policy_inputs` of each tool that it is about names. "
        "policy/ is for all environments, policy/staging/ and policy/production/ for one. "
        "What is expected of it: launchworthy explain cases.",
        " ",
        " ",
    )
    yield ""
    yield " all that a rule may look at"
    yield from fields(((path, kind, meaning) for path, kind, meaning in _LOOKED_AT), indent="   ")


def _head(file: str, what: str) -> Iterator[str]:
    yield from wrapped(f"{file}: {what}", " ", "   ")
    yield ""


def _tables(model: type[BaseModel]) -> Iterator[str]:
    """The fields at the top, and a table of each field that is one."""
    plain = {name for name, info in model.model_fields.items() if _inner(info.annotation) is None}
    if plain:
        yield from _table("", model, without=set(model.model_fields) - plain)
    for name, info in model.model_fields.items():
        inner = _inner(info.annotation)
        if inner is not None:
            named = ".<name>" if get_origin(_plain(info.annotation)) is dict else ""
            yield from _deep_table(f"{name}{named}", inner)


def _deep_table(path: str, model: type[BaseModel]) -> Iterator[str]:
    """A table, and then the tables in it."""
    inside = {name: _inner(info.annotation) for name, info in model.model_fields.items()}
    deeper = {name: inner for name, inner in inside.items() if inner is not None}
    if len(deeper) < len(inside):
        yield from _table(f"[{path}]", model, without=set(deeper))
    for name, inner in deeper.items():
        yield from _deep_table(f"{path}.{name}", inner)


def _inner(annotation: Any) -> type[BaseModel] | None:
    """The model of a field that is a table, or a table of tables."""
    for each in (annotation, *get_args(annotation)):
        if isinstance(each, type) and issubclass(each, BaseModel):
            return each
    return None


def _plain(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _table(
    head: str, model: type[BaseModel], *, without: set[str] | frozenset[str] = frozenset()
) -> Iterator[str]:
    if head:
        yield f" {head}"
    listed = [(name, info) for name, info in model.model_fields.items() if name not in without]
    yield from fields([(name, _kind(info), _meaning(info)) for name, info in listed], indent="   ")
    yield ""


def _kind(info: FieldInfo) -> str:
    """The type; a closed type of settings says its own form."""
    for marker in info.metadata:
        form = getattr(marker, "form", None)
        if isinstance(form, str):
            return form
    return type_of(info.annotation)


def _meaning(info: FieldInfo) -> str:
    local = "(local)" if any(isinstance(marker, Deployment) for marker in info.metadata) else ""
    if info.is_required():
        needed = "needed"
    else:
        default = info.get_default(call_default_factory=True, validated_data={})
        needed = "" if default in (None, (), {}) else f"default {_shown(default)}"
    return " · ".join(part for part in (needed, local, info.description or "") if part)


def _shown(default: Any) -> str:
    value = getattr(default, "value", default)
    match value:
        case tuple():
            return " ".join(str(each) for each in value)
        case bool():
            return str(value).lower()
        case float():
            return f"{value:g}"
        case _:
            return str(value)
