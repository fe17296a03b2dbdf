"""What would its manifest be? Tables to review, with placeholders on `.invalid` that promotion refuses."""

import json
import re
from collections.abc import Iterator, Set

from launchworthy.manifest import Effect, TargetKey, TargetKind
from launchworthy.migration.examples import example_of
from launchworthy.migration.foreign import ForeignArgument, ForeignTarget
from launchworthy.tokens.shown import shown

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def draft(targets: tuple[ForeignTarget, ...], *, declared: Set[TargetKey]) -> str:
    """The tables of what no manifest declares yet, in TOML; empty where everything is declared.

    Args:
        targets: what the other server offers.
        declared: what the project's manifests declare.
    """
    waiting = {
        (target.kind, target.function): target
        for target in targets
        if (target.kind, target.function) not in declared
    }
    return "\n".join(line for target in waiting.values() for line in _table(target))


def _table(target: ForeignTarget) -> Iterator[str]:
    name = target.function
    if _NAME.fullmatch(name) is None:
        yield f"# {target.where}: `{name}` needs a name of lower-case letters, digits and underscores"
        return
    renamed = f"; callers know it as {shown(target.name)} today" if target.name != name else ""
    yield ""
    yield f"[{target.kind.value}s.{name}]  # from {target.where}{renamed}"
    if target.kind is TargetKind.TOOL:
        yield f'effect    = "{target.guess.value}"  # a guess by its name: say what it does'
    if target.kind is TargetKind.RESOURCE:
        yield f"uri       = {json.dumps(target.uri or 'scheme.invalid://' + name)}"
    yield f'scopes    = ["{name.replace("_", "-")}.invalid"]  # who may call it'
    if target.arguments:
        classes = ", ".join(f'{_key(each.name)} = "hmac"' for each in target.arguments)
        yield f"arguments = {{ {classes} }}  # in the audit: clear, hmac, drop"
        yield f"example   = {{ {', '.join(_example(each) for each in target.arguments if each.required)} }}"
    if target.kind is TargetKind.TOOL and target.guess is Effect.DESTRUCTIVE:
        yield 'approval  = "none"'
        yield 'approval_reason = "left for later: why.invalid needs nobody to agree"'


def _example(argument: ForeignArgument) -> str:
    return f"{_key(argument.name)} = {json.dumps(example_of(argument.annotation), ensure_ascii=False)}"


def _key(name: str) -> str:
    """A key as TOML reads it: Python's names may hold letters that a bare key may not."""
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)
