"""How is a plan carried out, so that git can take all of it back? Only in a tree that is as committed."""

import os
from pathlib import Path

from launchworthy.attestation.git import Git
from launchworthy.migration.plan import Plan
from launchworthy.vocabulary import Problem, ProblemError

_MAX_TEXT = 1024 * 1024


def tracked_texts(git: Git, root: Path) -> dict[str, str]:
    """Every file of the project that git tracks, by its path; what is no text has an empty one."""
    inside = root.resolve().relative_to(git.top).as_posix()
    listed = git.run("ls-files", "-z", "--", inside).decode("utf-8", "surrogateescape")
    paths = [path for path in listed.split("\0") if path]
    prefix = "" if inside == "." else f"{inside}/"
    return {
        path.removeprefix(prefix): _text(git.top / path) for path in paths if os.path.lexists(git.top / path)
    }


def require_clean(git: Git, root: Path) -> None:
    """Refuse where something is not committed: it could not be told from what a migration does.

    Raises:
        ProblemError: `tree-not-clean`.
    """
    inside = root.resolve().relative_to(git.top).as_posix()
    said = git.run("status", "--porcelain=v1", "-z", "--untracked-files=all", "--", inside).decode(
        "utf-8", "surrogateescape"
    )
    differing = [entry[3:] for entry in said.split("\0") if entry[2:3] == " "]
    if differing:
        shown = ", ".join(differing[:3]) + (" …" if len(differing) > len(differing[:3]) else "")
        files = "1 file differs" if len(differing) == 1 else f"{len(differing)} files differ"
        what = f"{files} from the last commit: {shown}"
        fix = ("commit or stash first, so that git shows what was changed and can take it back",)
        raise ProblemError(Problem(reason="tree-not-clean", where=str(root), what=what, fix=fix))


def require_merged(git: Git, root: Path) -> None:
    """Refuse where an update left a conflict: Copier ends well with them.

    Raises:
        ProblemError: `not-merged`, with every path.
    """
    inside = root.resolve().relative_to(git.top).as_posix()
    unmerged = git.run("diff", "--name-only", "--diff-filter=U", "-z", "--", inside).decode(
        "utf-8", "surrogateescape"
    )
    paths = sorted({path for path in unmerged.split("\0") if path} | set(_rejected(git, inside)))
    if paths:
        what = f"the template and you changed the same lines: {', '.join(paths)}"
        fix = (
            "look for <<<<<<< in them (a .rej says what did not fit), decide, remove the marks, and commit",
            "then again: python3 noxfile.py -s upgrade",
        )
        raise ProblemError(Problem(reason="not-merged", where=paths[0], what=what, fix=fix))


def carry_out(git: Git, root: Path, plan: Plan) -> None:
    """Move and write; git sees the moves, and shows the rest as changes of this tree."""
    for before, after in plan.moves:
        (root / after).parent.mkdir(parents=True, exist_ok=True)
        git.run("mv", "--", str((root / before).resolve()), str(root.resolve() / after))
    for path, text in plan.texts.items():
        fresh = (root / path).with_name(f".{Path(path).name}.new")
        fresh.write_text(text, encoding="utf-8", newline="")
        fresh.chmod((root / path).stat().st_mode & 0o777)
        fresh.replace(root / path)


def commit(git: Git, message: str) -> None:
    """Commit what was carried out: as the user, or where git knows none, as nobody in particular."""
    try:
        git.run("var", "GIT_COMMITTER_IDENT")
        who: tuple[str, ...] = ()
    except ProblemError:
        who = ("-c", "user.name=launchworthy", "-c", "user.email=launchworthy@localhost.invalid")
    git.run(*who, "commit", "--quiet", "--all", "--message", message)


def _rejected(git: Git, inside: str) -> list[str]:
    said = git.run("ls-files", "-z", "--others", "--exclude-standard", "--", inside)
    return [path for path in said.decode("utf-8", "surrogateescape").split("\0") if path.endswith(".rej")]


def _text(path: Path) -> str:
    """A small text as it stands; an empty one for anything else, such as a link: none is written through."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size > _MAX_TEXT:
        return ""
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            return stream.read()
    except UnicodeDecodeError:
        return ""
