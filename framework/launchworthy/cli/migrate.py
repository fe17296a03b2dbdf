"""What must a project change to follow the framework? `migrate`, and what `nox -s upgrade` asks of it."""

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from launchworthy._version import __version__
from launchworthy.cli.ending import NO, YES, end, needs_extra, undecided_on_problems
from launchworthy.vocabulary import Problem, ProblemError

if TYPE_CHECKING:
    from launchworthy.attestation.git import Git
    from launchworthy.migration.plan import Plan
    from launchworthy.migration.releases import Release, Standing


class Point(StrEnum):
    """Where `nox -s upgrade` is."""

    NEXT = "next"
    MERGED = "merged"
    LOCKED = "locked"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(short_help="Move and rename what this version of the framework expects elsewhere.")(migrate)


def migrate(
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Change nothing; say what would be, and exit with 1 if anything."),
    ] = False,
    upgrade: Annotated[
        Point | None,
        typer.Option(
            "--upgrade",
            help="A part of `nox -s upgrade`: print the tag to take next; look at what was merged; "
            "migrate what was locked, in a tree that is being changed.",
        ),
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="TAG", help="With `--upgrade next`: this release.")
    ] = None,
) -> None:
    """Move and rename what this version of the framework expects elsewhere, and say what was done.

    Only where everything is committed, so that git can take all of it back; a second time there is nothing
    left to do. Exits with 0 where it is done, 1 where --dry-run found something, 2 where it is refused.
    """
    needs_extra("dev", lambda: __import__("yaml"))
    with undecided_on_problems("not migrated"):
        root, git, at = _project()
        if upgrade is not Point.MERGED:  # there the next framework is named, and not yet installed
            _require_as_new(at)
        if upgrade is Point.NEXT:
            _next(root, git, at, _release(to))
        elif upgrade is Point.MERGED:
            _merged(root, git)
        else:
            _migrate(root, git, dry_run=dry_run, during_upgrade=upgrade is Point.LOCKED)
    end(YES)


def _migrate(root: Path, git: "Git", *, dry_run: bool, during_upgrade: bool) -> None:
    from launchworthy.migration.carrying_out import carry_out, require_clean, require_merged
    from launchworthy.migration.news import news

    require_merged(git, root)
    if not dry_run and not during_upgrade:
        require_clean(git, root)
    planned = _plan(root, git)
    if not dry_run:
        carry_out(git, root, planned)
    for line in planned.says:
        typer.echo(("would change  " if dry_run else "changed  ") + line)
    if not planned.says:
        typer.echo(f"nothing to migrate: this project is as launchworthy {__version__} expects it")
    if during_upgrade:
        for line in news(root, version=__version__, controls=_controls()):
            typer.echo(line)
    if dry_run and planned.says:
        end(NO)


def _next(root: Path, git: "Git", at: "Standing", to: "Release | None") -> None:
    """Print the tag that is to be taken next; nothing where there is none."""
    from launchworthy.migration.carrying_out import carry_out, commit, require_clean, require_merged
    from launchworthy.migration.news import keep_note
    from launchworthy.migration.releases import choose
    from launchworthy.migration.source import newest_commit, releases_at

    require_merged(git, root)
    require_clean(git, root)
    released = releases_at(at, root, os.environ)
    chosen = choose(at, released, to=to)
    waiting = _plan(root, git)
    if waiting.says and chosen is not None:  # Copier merges only what is committed
        carry_out(git, root, waiting)
        commit(git, "Move and rename what the next version of the template expects elsewhere")
        for line in waiting.says:
            typer.echo(f"committed  {line}", err=True)
    keep_note(root, version=__version__, controls=_controls())
    if not released and to is None:
        typer.echo(newest_commit(at, root, os.environ))
        return
    typer.echo(chosen.tag if chosen is not None else "")


def _merged(root: Path, git: "Git") -> None:
    from launchworthy.migration.carrying_out import require_merged
    from launchworthy.migration.lent import take_lent

    require_merged(git, root)
    lent = take_lent(root)
    if lent is not None:
        typer.echo(f"the framework is now {lent}")


def _project() -> "tuple[Path, Git, Standing]":
    """The project here, its git, and where it stands."""
    from launchworthy.attestation.git import Git
    from launchworthy.migration.releases import ANSWERS, standing
    from launchworthy.promotion.place import find_place

    root = find_place(Path.cwd()).root
    if not any((each / ".git").exists() for each in (root, *root.parents)):
        what = "is in no git working tree, so nothing that is changed could be taken back"
        fix = ('git init -b main && git add -A && git commit -m "as it is"',)
        raise ProblemError(Problem(reason="no-git", where=str(root), what=what, fix=fix))
    return root, Git(root, os.environ), standing(_answers(root / ANSWERS))


def _require_as_new(at: "Standing") -> None:
    """Refuse where the framework is older than the template: it knows nothing of what that expects."""
    from launchworthy.migration.releases import ANSWERS, release

    here = release(__version__)
    if at.release is not None and here is not None and at.release.line > here.line:
        what = f"this project is from {at.said}, and launchworthy {__version__} is older than that"
        fix = ("uv lock --upgrade-package launchworthy, then: uv sync",)
        raise ProblemError(Problem(reason="template-newer", where=ANSWERS, what=what, fix=fix))


def _answers(path: Path) -> object:
    import yaml

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return None


def _plan(root: Path, git: "Git") -> "Plan":
    from launchworthy.migration.carrying_out import tracked_texts
    from launchworthy.migration.plan import plan
    from launchworthy.migration.steps import STEPS

    return plan(STEPS, tracked_texts(git, root))


def _release(tag: str | None) -> "Release | None":
    from launchworthy.migration.releases import release

    named = release(tag) if tag is not None else None
    if tag is not None and named is None:
        what = f"`{tag}` names no release"
        raise ProblemError(Problem(reason="template-not-released", what=what, fix=("such as: --to v0.2.0",)))
    return named


def _controls() -> dict[str, str]:
    from launchworthy.promotion.control import load_catalogue

    return {control.id: control.title for control in load_catalogue()}
