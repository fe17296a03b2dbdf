"""Who may do what, and where? `manifest show`: the manifests as a page that people read."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from launchworthy.cli.ending import YES, end, undecided_on_problems

if TYPE_CHECKING:
    from launchworthy.manifest import Manifests, TargetManifest

app = typer.Typer(help="Read what the manifests promise.", no_args_is_help=True)
_HEADS = ("name", "kind", "effect", "scopes", "where", "limits", "approval", "in the audit")
_GAP = 2


class Format(StrEnum):
    """How it is printed."""

    TABLE = "table"
    MARKDOWN = "markdown"
    JSON = "json"


@app.callback()
def manifest() -> None:
    """Read what the manifests promise: who may do what, where, and with which effect."""


@app.command()
def show(
    output: Annotated[Format, typer.Option("--format", help="How to print it.")] = Format.TABLE,
) -> None:
    """Print each tool, resource and prompt: effect, scopes, where it runs, approval, and its audit."""
    from launchworthy.manifest import load_manifests
    from launchworthy.promotion.place import find_place
    from launchworthy.settings import read_project

    with undecided_on_problems():
        place = find_place(Path.cwd())
        manifests = load_manifests(read_project(place.root, place.package).manifests())
    typer.echo(_render(manifests, output))
    end(YES)


def _render(manifests: "Manifests", output: Format) -> str:
    rows = [_row(target) for target in _targets(manifests)]
    match output:
        case Format.JSON:
            return json.dumps(_as_json(manifests), indent=1)
        case Format.MARKDOWN:
            return _markdown(rows)
        case Format.TABLE:
            return _table(manifests, rows)


def _targets(manifests: "Manifests") -> "tuple[TargetManifest, ...]":
    return (*manifests.tools(), *manifests.resources(), *manifests.prompts())


def _row(target: "TargetManifest") -> tuple[str, ...]:
    return (
        target.name,
        target.kind.value,
        target.effect.value,
        " ".join(target.scopes),
        "everywhere" if target.environments is None else " ".join(sorted(target.environments)),
        _limits(target),
        _approval(target),
        " ".join(f"{name}={kind.value}" for name, kind in target.arguments.items()) or "all hmac",
    )


def _limits(target: "TargetManifest") -> str:
    """What one caller may use of it."""
    told = [] if target.rate is None else [str(target.rate)]
    if target.concurrency is not None:
        told.append(f"{target.concurrency} at once")
    return ", ".join(told) or "·"


def _approval(target: "TargetManifest") -> str:
    """Only a destructive tool has to say; its reason follows below the table."""
    if target.approval is not None:
        return str(target.approval)
    return "none" if target.effect.value == "destructive" else "·"


def _table(manifests: "Manifests", rows: list[tuple[str, ...]]) -> str:
    widths = [max(len(row[column]) for row in (_HEADS, *rows)) for column in range(len(_HEADS))]
    lines = [
        (" " + (" " * _GAP).join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))).rstrip()
        for row in (_HEADS, *rows)
    ]
    server = manifests.server
    entry = " ".join(server.scopes.entry) or "nothing"
    lines = [
        f" {server.title}: {server.description}",
        f" owner {server.ownership.owner} · {server.data.classification.value} · entry {entry}",
        "",
        *lines,
    ]
    budget = server.budget.model_dump(exclude_none=True)
    if budget:
        told = ", ".join(f"{effect} {rate}" for effect, rate in budget.items())
        lines.extend(("", f" each caller, over all tools: {told}"))
    reasons = [target for target in _targets(manifests) if target.approval_reason is not None]
    if reasons:
        lines.append("")
        lines.extend(f" {target.name} asks nobody: {target.approval_reason}" for target in reasons)
    lines.extend(
        f" {target.name} is recorded in clear: {target.clear_reason}"
        for target in _targets(manifests)
        if target.clear_reason is not None
    )
    return "\n".join(lines)


def _markdown(rows: list[tuple[str, ...]]) -> str:
    head = [_line(_HEADS), _line(("---",) * len(_HEADS))]
    return "\n".join([*head, *(_line(row) for row in rows)])


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def _as_json(manifests: "Manifests") -> dict[str, Any]:
    from launchworthy.manifest import describe

    return {"schema": "urn:launchworthy:manifests:v1", "digest": manifests.digest, **describe(manifests)}
