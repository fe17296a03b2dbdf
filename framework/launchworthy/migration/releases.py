"""Which release does a project stand on, and which one comes next? One minor version at a time.

1. What a project was rendered from stands in `.copier-answers.yml`, as a tag or what `git describe` said.
2. The newest patch of the same minor comes first: it may bring what has to move before the next minor does.
3. Then the newest patch of the next minor; none is left out, and nothing goes back.
"""

import re
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from launchworthy.vocabulary import Problem, ProblemError

ANSWERS: Final = ".copier-answers.yml"
_RELEASE: Final = re.compile(r"v?(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})")
_DESCRIBED: Final = re.compile(r"-[1-9]\d*-g[0-9a-f]{7,40}")


@dataclass(frozen=True, slots=True, order=True)
class Release:
    """One version of framework and template; compares as versions do."""

    major: int
    minor: int
    patch: int

    @property
    def line(self) -> tuple[int, int]:
        """What it shares with its patches."""
        return self.major, self.minor

    @property
    def tag(self) -> str:
        """Its tag: `v0.1.0`."""
        return f"v{self}"

    def __str__(self) -> str:
        """`0.1.0`."""
        return f"{self.major}.{self.minor}.{self.patch}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a project stands.

    Attributes:
        source: where its template is, as Copier wrote it down.
        said: the version as Copier wrote it down.
        release: the release, or the one before; None where the template had none yet.
    """

    source: str
    said: str
    release: Release | None


def release(text: str) -> Release | None:
    """The release that a tag or a version names; None where it is none (a preview, another series)."""
    found = _RELEASE.fullmatch(text)
    return Release(*map(int, found.groups())) if found is not None else None


def standing(answers: object) -> Standing:
    """Where a project stands, by its parsed answers.

    Raises:
        ProblemError: `no-template`.
    """
    if not isinstance(answers, dict) or not {"_commit", "_src_path"} <= answers.keys():
        fix = ("take the file back from git; a project without it cannot be updated",)
        what = "does not say which template this project is from"
        raise ProblemError(Problem(reason="no-template", where=ANSWERS, what=what, fix=fix))
    said = str(answers["_commit"])
    named = _RELEASE.match(said)
    rest = said[named.end() :] if named is not None else ""
    known = named is not None and (not rest or _DESCRIBED.fullmatch(rest) is not None)
    return Standing(
        source=str(answers["_src_path"]), said=said, release=release(named[0]) if named and known else None
    )


def choose(at: Standing, released: frozenset[Release], *, to: Release | None) -> Release | None:
    """The release to take next; None where the project has the newest.

    Args:
        at: where the project stands.
        released: every release there is.
        to: the one that was asked for, or None for the next.

    Raises:
        ProblemError: `template-downgrade`, `template-not-released` or `template-skipped`.
    """
    coming = [each for each in sorted(released) if at.release is None or each > at.release]
    reachable = _reachable(at, coming)
    if to is None:
        return reachable[0] if reachable else None
    if at.release is not None and to < at.release:
        what = f"this project is from {at.release.tag}, and nothing goes back: {to.tag} is older"
        fix = ("the commit before the upgrade is in git: git revert it",)
        raise ProblemError(Problem(reason="template-downgrade", where=ANSWERS, what=what, fix=fix))
    if to == at.release:
        return None
    if to not in released:
        newest = f"the newest is {max(released).tag}" if released else "nothing is released there"
        what = f"`{at.source}` has no release {to.tag}; {newest}"
        fix = ("name one of its tags, or none for the next",)
        raise ProblemError(Problem(reason="template-not-released", where=ANSWERS, what=what, fix=fix))
    if to.line > reachable[-1].line:
        what = f"between {at.said} and {to.tag} lies {reachable[-1].tag}, which may move what comes after it"
        fix = (f"one minor version at a time: first {reachable[0].tag}",)
        raise ProblemError(Problem(reason="template-skipped", where=ANSWERS, what=what, fix=fix))
    return to


def _reachable(at: Standing, coming: list[Release]) -> list[Release]:
    """The newest patch of this minor, and the newest of the next, in this order."""
    newest = [max(patches) for _, patches in groupby(coming, key=lambda each: each.line)]
    stays = at.release is not None and bool(newest) and newest[0].line == at.release.line
    return newest[: 2 if stays else 1]
