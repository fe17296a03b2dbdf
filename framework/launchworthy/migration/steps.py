"""What must a project change for each release, beyond what a merge of the template does?

A step comes with the release that first needs its keys, and one release *before* its paths are elsewhere in
the template: Copier deletes a renamed path with all that a team wrote into it, so the path has to be at its
new place before that update. The framework of that release reads both.
"""

from dataclasses import dataclass
from typing import Final

from launchworthy.migration.releases import Release


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A path that is called otherwise from the next release on.

    Attributes:
        before: the path; `*` is one folder or name, such as `src/*/store.py`.
        after: the path then; each `*` is what the same one of `before` was.
    """

    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRename:
    """A key of a team's own files that is called otherwise from this release on.

    Attributes:
        files: which ones, such as `config/*.toml`.
        table: where it stands; `*` is any one key, and what is in a list counts as the list's.
        before: the key.
        after: the key now.
    """

    files: str
    table: tuple[str, ...]
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one release asks for.

    Attributes:
        release: which one.
        why: a sentence for who reads the change.
        moves: what is moved, first.
        keys: what is renamed, after that.
    """

    release: Release
    why: str
    moves: tuple[Move, ...]
    keys: tuple[KeyRename, ...]


STEPS: Final[tuple[Step, ...]] = ()
"""In the order of the releases. 0.1.0 is the first release, so nothing is older than what it expects."""
