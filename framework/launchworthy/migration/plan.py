"""What has to be changed here? Every step not taken yet, worked out before anything is touched.

A step is not noted down anywhere: what is at its new place, or has its new name, is done. So the same plan a
second time is empty, and a plan that cannot be carried out as a whole is refused as a whole.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from launchworthy.migration.steps import KeyRename, Move, Step
from launchworthy.migration.toml_keys import NotRenamedError, rename_key
from launchworthy.vocabulary import Problem, ProblemError


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do.

    Attributes:
        moves: path to path, in this order.
        texts: the files to write after that, by their paths then.
        says: what is done and for which release, a line each.
    """

    moves: tuple[tuple[str, str], ...]
    texts: Mapping[str, str]
    says: tuple[str, ...]


def plan(steps: tuple[Step, ...], files: Mapping[str, str]) -> Plan:
    """Work out what is left to do.

    Args:
        steps: of every release, in their order.
        files: the text of every file that git tracks, by its path below the project, with slashes.

    Raises:
        ProblemError: `not-migrated`, one for each thing that only a person can decide.
    """
    draft = _Draft(files)
    for step in steps:
        for move in step.moves:
            draft.move(move, step)
        for key in step.keys:
            draft.rename(key, step)
    if draft.problems:
        raise ProblemError(*draft.problems)
    return Plan(moves=tuple(draft.moves), texts=draft.changed(), says=tuple(draft.says))


class _Draft:
    """The files as they would be after the steps so far."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._before = files
        self._now = dict(files)
        self._origin = {path: path for path in files}
        self.moves: list[tuple[str, str]] = []
        self.says: list[str] = []
        self.problems: list[Problem] = []

    def move(self, move: Move, step: Step) -> None:
        for before, after in _moved(move, self._now):
            if after in self._now:
                self.problems.append(_both(before, after, step))
            else:
                self._now[after] = self._now.pop(before)
                self._origin[after] = self._origin.pop(before)
                self.moves.append((before, after))
                self.says.append(f"{before} → {after}   ({step.release}: {step.why})")

    def rename(self, key: KeyRename, step: Step) -> None:
        for path in [path for path in sorted(self._now) if _fits(path, key.files)]:
            try:
                renamed = rename_key(self._now[path], key.table, key.before, key.after)
            except NotRenamedError as error:
                self.problems.append(_by_hand(path, key, step, str(error)))
                continue
            if renamed != self._now[path]:
                self._now[path] = renamed
                where = f"`{key.before}` → `{key.after}` in [{'.'.join(key.table)}]"
                self.says.append(f"{path}: {where}   ({step.release}: {step.why})")

    def changed(self) -> dict[str, str]:
        return {path: text for path, text in self._now.items() if self._before[self._origin[path]] != text}


def _moved(move: Move, files: Mapping[str, str]) -> list[tuple[str, str]]:
    """What is at the old place, with where it goes; a folder's files go with it."""
    pattern = re.compile("([^/]+)".join(map(re.escape, move.before.split("*"))) + "(/.+)?")
    found: list[tuple[str, str]] = []
    for path in sorted(files):
        fits = pattern.fullmatch(path)
        if fits is not None:
            *names, below = fits.groups()
            after = move.after
            for name in names:
                after = after.replace("*", name, 1)
            found.append((path, after + (below or "")))
    return found


def _fits(path: str, pattern: str) -> bool:
    return path.count("/") == pattern.count("/") and fnmatchcase(path, pattern)


def _both(before: str, after: str, step: Step) -> Problem:
    what = f"is to be moved to `{after}` for {step.release}, and something is there already"
    fix = (f"bring what is yours together in {after}, then: git rm {before}",)
    return Problem(reason="not-migrated", where=before, what=what, fix=fix)


def _by_hand(path: str, key: KeyRename, step: Step, why: str) -> Problem:
    fix = (f"since {step.release} `{key.before}` is called `{key.after}` there: {step.why}",)
    return Problem(reason="not-migrated", where=path, what=why, fix=fix)
