"""Does what the manifests say make sense together? What no single field can know."""

from collections.abc import Iterator, Mapping, Sequence

from launchworthy.manifest.approval import mistakes_of
from launchworthy.manifest.mistakes import SourceFile
from launchworthy.manifest.policy_input import input_type
from launchworthy.manifest.scopes import find_cycle, implied_scopes
from launchworthy.manifest.server_manifest import ServerManifest
from launchworthy.manifest.target import ArgumentClass, Effect, InputType, TargetManifest
from launchworthy.manifest.template import overlapping, variables
from launchworthy.manifest.tool import PromptTable, ResourceTable, TargetTable, ToolTable
from launchworthy.vocabulary import Problem


def check_table(table: TargetTable, key: tuple[str, ...], source: SourceFile) -> Iterator[Problem]:
    """Check what one table says about itself.

    Args:
        table: of a tool, a resource or a prompt.
        key: where it stands: `("tools", "place_order")`.
        source: its file.
    """
    yield from _policy_inputs(table, key, source)
    yield from _tenant_argument(table, key, source)
    if isinstance(table, ToolTable):
        yield from _risk(table, key, source)
        yield from _object(table, key, source)
    if isinstance(table, ResourceTable):
        yield from _arguments_of_uri(table, key, source)
    if isinstance(table, ResourceTable | PromptTable) and table.completions:
        yield from _completions(table, key, source)


def check_server(
    server: ServerManifest, targets: Sequence[TargetManifest], source: SourceFile
) -> Iterator[Problem]:
    """Check `server.toml` against what is served."""
    yield from _tenants(server, targets, source)
    implies = server.scopes.implies
    if (cycle := find_cycle(implies)) is not None:
        way = " → ".join(f"`{scope}`" for scope in cycle)
        yield source.problem(
            "scope-cycle",
            ("scopes", "implies", cycle[0]),
            f"lets a scope imply itself: {way}",
            "take one step out",
        )
        return
    needed = frozenset(scope for target in targets for scope in target.scopes)
    named = [("entry", scope) for scope in server.scopes.entry]
    named += [(f"implies.{scope}", implied) for scope, many in implies.items() for implied in many]
    for field, scope in named:
        if needed.isdisjoint(implied_scopes((scope,), implies)):
            yield source.problem(
                "unknown-scope",
                ("scopes", *field.split(".", 1)),
                f"names the scope `{scope}` in [scopes] {field}, and nothing that is served needs it",
                "correct it, or take it out",
            )
    yield from _entry(server, targets, source)


def check_uris(targets: Sequence[TargetManifest]) -> Iterator[Problem]:
    """Check that one URI names at most one resource."""
    by_uri: dict[str, list[TargetManifest]] = {}
    for target in targets:
        if target.uri is not None:
            by_uri.setdefault(target.uri, []).append(target)
    uris = [uri for uri, same in by_uri.items() for _ in same]
    for one, other in overlapping(uris):
        first, second = by_uri[one][0], by_uri[other][-1]
        yield Problem(
            reason="overlapping-uri",
            where=second.where,
            what=f"gives `{second.name}` the uri `{other}`, and a URI can be meant that `{first.name}` "
            f"(`{one}`, {first.where}) has too",
            fix=("tell them apart by a literal part: one URI names one resource",),
            field=f"resources.{second.name}.uri",
        )


def _policy_inputs(table: TargetTable, key: tuple[str, ...], source: SourceFile) -> Iterator[Problem]:
    names = [written.removesuffix("?") for written in table.policy_inputs]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield source.problem(
            "bad-value",
            (*key, "policy_inputs"),
            f"names `{name}` twice in `policy_inputs` of [{'.'.join(key)}]",
            "say once whether it may be missing",
        )
    example: Mapping[str, object] = table.example or {}
    for name in names:
        if input_type(example.get(name)) is None:
            yield source.problem(
                "policy-input-untyped",
                (*key, "policy_inputs"),
                f"shows `{name}` of [{'.'.join(key)}] to policy, and its example does not say what it is",
                f"give `{name}` in `example` a text, a whole number, true or false, or a list of texts",
            )


def _tenant_argument(table: TargetTable, key: tuple[str, ...], source: SourceFile) -> Iterator[Problem]:
    name = table.tenant_argument
    if name is None:
        return
    shown = {written.removesuffix("?") for written in table.policy_inputs}
    if name not in shown or input_type((table.example or {}).get(name)) is not InputType.STRING:
        yield source.problem(
            "tenant-argument",
            (*key, "tenant_argument"),
            f"names `{name}` in `tenant_argument` of [{'.'.join(key)}], and policy does not see it as a text",
            f'policy_inputs = ["{name}"], and a tenant as its `example`',
        )


def _tenants(
    server: ServerManifest, targets: Sequence[TargetManifest], source: SourceFile
) -> Iterator[Problem]:
    naming = [target for target in targets if target.tenant_argument is not None]
    if naming and server.data.tenancy == "single":
        yield source.problem(
            "tenant-argument",
            ("data", "tenancy"),
            f"is for one tenant, and `{naming[0].name}` has a `tenant_argument` ({naming[0].where})",
            'write tenancy = "multi", or take the argument out',
        )
    if len({target.example_tenant for target in naming}) > 1:
        yield source.problem(
            "tenant-argument",
            ("data", "tenancy"),
            "is rehearsed by callers of one tenant, and the examples of "
            f"{', '.join(f'`{target.name}`' for target in naming)} name several",
            "let the examples name the same tenant",
        )


def _risk(table: ToolTable, key: tuple[str, ...], source: SourceFile) -> Iterator[Problem]:
    named = f"[{'.'.join(key)}]"
    destructive = table.effect is Effect.DESTRUCTIVE
    if destructive and table.approval == "none" and table.approval_reason is None:
        yield source.problem(
            "missing-field",
            (*key, "approval_reason"),
            f"has no `approval_reason` in {named}: a destructive tool asks somebody, or says why it does not",
            'let a signed-in person answer: approval = "url"',
            "or, where machines call it, add:",
            '  approval_reason = "…"',
        )
    if table.approval_reason is not None and (
        table.approval not in {None, "none"} or (destructive and table.approval is None)
    ):
        yield source.problem(
            "bad-value",
            (*key, "approval_reason"),
            f"says in `approval_reason` of {named} why nobody is asked, and asks somebody",
            'take it out; it goes with `approval = "none"`',
        )
    for field, wrong in mistakes_of(table.approval):
        yield source.problem(
            "bad-value",
            (*key, "approval", field),
            f"in `approval` of {named} {wrong}",
            "who answers, and how: launchworthy explain tools",
        )
    if table.rehearse and table.example is None:
        yield source.problem(
            "missing-field",
            (*key, "example"),
            f"wants {named} rehearsed and has no `example`",
            "add an example",
        )


def _object(table: ToolTable, key: tuple[str, ...], source: SourceFile) -> Iterator[Problem]:
    for name in variables(table.acts_on or ""):
        if table.arguments.get(name) is not ArgumentClass.CLEAR:
            yield source.problem(
                "acts-on-not-clear",
                (*key, "acts_on"),
                f"writes `{name}` into the audit by `acts_on` of [{'.'.join(key)}], and it is not clear",
                f'say that it may be read there, arguments = {{ {name} = "clear" }}, or name another object',
            )


def _arguments_of_uri(table: ResourceTable, key: tuple[str, ...], source: SourceFile) -> Iterator[Problem]:
    known = variables(table.uri)
    named = {
        "arguments": table.arguments,
        "example": table.example or (),
        "policy_inputs": [written.removesuffix("?") for written in table.policy_inputs],
    }
    for field, names in named.items():
        for name in names:
            if name not in known:
                yield source.problem(
                    "unknown-argument",
                    (*key, field, *((name,) if field != "policy_inputs" else ())),
                    f"names `{name}` in `{field}` of [{'.'.join(key)}], and its uri has no such variable",
                    "correct it, or take it out",
                )


def _completions(
    table: ResourceTable | PromptTable, key: tuple[str, ...], source: SourceFile
) -> Iterator[Problem]:
    named = f"[{'.'.join(key)}]"
    if isinstance(table, ResourceTable) and not variables(table.uri):
        yield source.problem(
            "nothing-to-complete",
            (*key, "completions"),
            f"offers completions of {named}, and its uri has no variable",
            "take `completions` out",
        )
    for name in (written for written in table.policy_inputs if not written.endswith("?")):
        yield source.problem(
            "policy-input-optional",
            (*key, "policy_inputs"),
            f"shows `{name}` of {named} to policy as always there, and offers completions, "
            "which are decided before it is",
            f'write "{name}?" and let rules ask `context.arguments has {name}` first',
        )


def _entry(
    server: ServerManifest, targets: Sequence[TargetManifest], source: SourceFile
) -> Iterator[Problem]:
    entered = {scope: implied_scopes((scope,), server.scopes.implies) for scope in server.scopes.entry}
    harmless = [target for target in targets if target.effect is not Effect.DESTRUCTIVE]
    if harmless and not entered:
        yield source.problem(
            "missing-field",
            ("scopes", "entry"),
            "has no scope in `entry` of [scopes]: a client without a token would not know what to ask for",
            f'add what a first read needs, as `entry = ["{harmless[0].scopes[0]}"]`',
        )
    for target in targets:
        for scope, granted in entered.items():
            if target.effect is Effect.DESTRUCTIVE and not granted.isdisjoint(target.scopes):
                yield source.problem(
                    "destructive-entry-scope",
                    ("scopes", "entry"),
                    f"offers every stranger `{scope}` in `entry` of [scopes], and the destructive tool "
                    f"`{target.name}` needs {_through(scope, granted, target)}",
                    "take it out of entry; a client learns of it from the 403",
                )


def _through(scope: str, granted: frozenset[str], target: TargetManifest) -> str:
    return "it" if scope in target.scopes else f"`{min(granted & set(target.scopes))}`, which it implies"
