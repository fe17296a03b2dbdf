"""What does the class of the data demand here? Bounds on the settings, and what no manifest of it may say.

confidential   nobody is asked by a form, tokens live 15 minutes at most, attempts wait for the disk
restricted     besides: 2025-11-25 is off, whatever writes asks somebody, checkpoints go to an outside anchor,
               and an argument that stands in the audit in clear has a reason

The manifest names the class; the settings of an environment may raise it, and never lower it.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final, TypeVar

from launchworthy.manifest import (
    ApprovalMode,
    ArgumentClass,
    Classification,
    Effect,
    Manifests,
    TargetManifest,
)
from launchworthy.settings.resolved import Settings
from launchworthy.settings.strict import Table
from launchworthy.vocabulary import Environment, Problem, ProblemError

TOKEN_SECONDS: Final = 900.0
_WITHOUT_WAY_BACK: Final = "2025-11-25"
T = TypeVar("T", bound=Table)


def class_in_force(settings: Settings, manifests: Manifests) -> Classification:
    """The class of the manifest, or the higher one of the settings."""
    raised = settings.server.classification
    named = manifests.server.data.classification
    return named if raised is None else max(named, raised, key=lambda each: each.rank)


def waits_for_disk(settings: Settings, manifests: Manifests) -> bool:
    """Whether the attempt of every call waits for the disk."""
    return class_in_force(settings, manifests).is_at_least(Classification.CONFIDENTIAL)


def bounded_by_class(settings: Settings, manifests: Manifests) -> Settings:
    """The settings as the class lets them be: what a server uses, and what it is asked about.

    Raises:
        ProblemError: `class-lowered`, or `class-demands` with everything that the class does not allow.
    """
    raised, named = settings.server.classification, manifests.server.data.classification
    if raised is not None and not raised.is_at_least(named):
        what = f"lowers the class of the data from `{named}` to `{raised}`; an environment may only raise it"
        where = settings.sources.get("server.classification")
        fix = ("take it out, or change the class of [data] in manifests/server.toml",)
        raise ProblemError(
            Problem(reason="class-lowered", where=where, what=what, fix=fix, field="server.classification")
        )
    found = class_in_force(settings, manifests)
    if problems := tuple(_not_allowed(found, settings, manifests)):
        raise ProblemError(*problems)
    return _bounded(settings, found)


def _bounded(settings: Settings, found: Classification) -> Settings:
    if not found.is_at_least(Classification.CONFIDENTIAL):
        return settings
    issuers = {
        name: _changed(issuer, max_lifetime=TOKEN_SECONDS) if issuer.max_lifetime > TOKEN_SECONDS else issuer
        for name, issuer in settings.issuers.items()
    }
    server = settings.server
    if found.is_at_least(Classification.RESTRICTED):
        server = _changed(server, revisions=_with_way_back(server.revisions))
    return replace(settings, issuers=issuers, server=server)


def _changed(table: T, **values: object) -> T:
    """The same table with other values, validated as a whole; a table is never changed in place."""
    return type(table).model_validate(
        {name: getattr(table, name) for name in table.model_fields_set} | values
    )


def _with_way_back(revisions: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(revision for revision in revisions if revision != _WITHOUT_WAY_BACK)


def _not_allowed(found: Classification, settings: Settings, manifests: Manifests) -> Iterator[Problem]:
    here = [target for target in manifests.targets.values() if target.runs_in(settings.rehearsed)]
    if found.is_at_least(Classification.CONFIDENTIAL):
        yield from (problem for target in here for problem in _of_confidential(target, found))
    if found.is_at_least(Classification.RESTRICTED):
        yield from (problem for target in here for problem in _of_restricted(target, found))
        yield from _of_settings(settings, found)


def _of_confidential(target: TargetManifest, found: Classification) -> Iterator[Problem]:
    if target.approval is not None and target.approval.mode is ApprovalMode.FORM:
        what = f"has `{target.name}` approved by a form, which proves what a client says and no more"
        yield _problem(target, found, "approval", what, 'approval = "url"')


def _of_restricted(target: TargetManifest, found: Classification) -> Iterator[Problem]:
    if target.effect is not Effect.READ and target.approval is None:
        what = f"lets `{target.name}` write without anybody having approved it"
        yield _problem(target, found, "approval", what, 'approval = "url"')
    clear = sorted(name for name, how in target.arguments.items() if how is ArgumentClass.CLEAR)
    if clear and target.clear_reason is None:
        what = f"writes `{clear[0]}` of `{target.name}` into the audit in clear, and does not say why"
        yield _problem(target, found, "clear_reason", what, 'clear_reason = "…", or leave it pseudonymised')


def _of_settings(settings: Settings, found: Classification) -> Iterator[Problem]:
    if settings.environment is not Environment.DEVELOPMENT and settings.audit.anchor != "http":
        yield Problem(
            reason="class-demands",
            where=settings.sources.get("audit.anchor"),
            what=f"keeps the audit's checkpoints here, and data of class `{found}` needs an anchor outside",
            fix=("[audit]", 'anchor = "http"', 'anchor_url = "https://…"'),
            field="audit.anchor",
        )
    if not _with_way_back(settings.server.revisions):
        yield Problem(
            reason="class-demands",
            where=settings.sources.get("server.revisions"),
            what=f"serves {_WITHOUT_WAY_BACK} alone, which is off for data of class `{found}`",
            fix=('revisions = ["2026-07-28"]',),
            field="server.revisions",
        )


def _problem(target: TargetManifest, found: Classification, field: str, what: str, fix: str) -> Problem:
    return Problem(
        reason="class-demands",
        where=target.where,
        what=f"{what}, and the data is of class `{found}`",
        fix=(fix,),
        field=f"{target.kind}s.{target.name}.{field}",
    )
