"""A team's work on a generated project, and its upgrades, counted: rows of `docs/reference/upgrades.md`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import copier
import yaml
from releases import Releases
from rendering import ORDERS, files_of, git, render_into

from launchworthy.migration.releases import Release, release

EDITS = {
    "src/orders/tools.py": ("newest first", "the newest first"),
    "src/orders/store.py": ('"""Orders in SQLite', '"""Our orders in SQLite'),
    "manifests/tools.toml": ('"10/minute"', '"5/minute"'),
    "manifests/server.toml": ("web shop", "shops of ours"),
    "config/production.toml": ('"orders.sqlite"', '"ours.sqlite"'),
    "policy/rules.cedar": ("quantity > 20", "quantity > 10"),
    "tests/test_tools.py": ('"""What the tools do', '"""What our tools do'),
    "tests/policy.toml": ("quantity = 21", "quantity = 11"),
    "promotion.toml": ("Empty is best.", "Ours is empty."),
    "README.md": ("# ", "# The "),
    "RUNBOOK.md": ("# Runbook", "# Our runbook"),
    "pyproject.toml": ("Yours: below this line.\n", 'Yours: below this line.\n  "humanize>=4",\n'),
    "Dockerfile": ("USER 65532:65532\n", "USER 65532:65532\nSTOPSIGNAL SIGTERM\n"),
    ".gitignore": ("dist/\n", "dist/\n*.local\n"),
    ".github/workflows/ci.yml": ("fail-fast: false", "fail-fast: true"),
    ".github/CODEOWNERS": ("\n* ", "\n/docs/ @acme/writers\n* "),
    "deploy/deployment.yaml": ("memory: 512Mi", "memory: 1Gi"),
    "deploy/network-policy.yaml": (
        "    - ports:\n        - port: 443\n",
        "    - ports:\n        - port: 443\n        - port: 5432\n",
    ),
    "noxfile.py": (
        "@nox.session\ndef lint(",
        '@nox.session\ndef ours(session: nox.Session) -> None:\n    """Ours."""\n\n\n@nox.session\ndef lint(',
    ),
}
ADDED = {"src/orders/stock.py": '"""Ours."""\n', "docs/ours.md": "Ours.\n"}
THROWN_AWAY = ".pre-commit-config.yaml"
MOVED = {
    "tests/test_tools.py": "tests/tools/test_tools.py",
    "deploy/service.yaml": "deploy/services/service.yaml",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgraded:
    """One pair of releases.

    Attributes:
        before: the release that the project was made from.
        after: the release it has now.
        updates: how many upgrades led there.
        edits: how many files with a team's edits were looked for.
        lost: the edits that are gone.
        conflicts: the paths with a conflict, in any of the updates.
        vanished: paths that were there and are not, beside what was moved.
        answers: the answers that are no longer what was said.
        setting: what `config/production.toml` calls the setting that is renamed.
    """

    before: str
    after: str
    updates: int
    edits: int
    lost: tuple[str, ...]
    conflicts: tuple[str, ...]
    vanished: tuple[str, ...]
    answers: tuple[str, ...]
    setting: str


def start(releases: Releases, project: Path, tag: str) -> None:
    """A project of a release, committed."""
    render_into(releases.repository, project, ORDERS, ref=tag)
    git(project, "init", "--quiet")
    commit(project, "from the template")


def commit(project: Path, message: str) -> None:
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--allow-empty", "--message", message)


def work(project: Path) -> None:
    """What a team does, in every file that anybody normally edits."""
    for before, (old, new) in EDITS.items():
        path = before if (project / before).exists() else MOVED[before]
        text = (project / path).read_text()
        assert old in text, f"{path} does not hold {old!r}"
        (project / path).write_text(text.replace(old, new, 1))
    for path, text in ADDED.items():
        (project / path).parent.mkdir(exist_ok=True)
        (project / path).write_text(text)
    (project / THROWN_AWAY).unlink()
    commit(project, "our work")


def upgrades(releases: Releases, project: Path, tag: str) -> Iterator[Upgraded]:
    """A project of one release, worked on, and upgraded as `nox -s upgrade` does until nothing is newer."""
    start(releases, project, tag)
    answers = _answers(project)
    work(project)
    paths = {MOVED.get(path, path) for path in files_of(project)}
    at, updates, conflicts = tag, 0, []
    while following := next_of(releases, at, project):
        copier.run_update(project, vcs_ref=following, defaults=True, overwrite=True, quiet=True)
        status = git(project, "status", "--porcelain")
        conflicts += re.findall(r"^(?:AA|DD|U.|.U) (.+)$|^.. (.+\.rej)$", status, re.MULTILINE)
        done = releases.migrate(following, project, "--upgrade=locked")
        assert done.returncode == 0, done.stderr
        commit(project, following)
        at, updates = following, updates + 1
        after = files_of(project)
        yield Upgraded(
            before=tag,
            after=at,
            updates=updates,
            edits=len(EDITS) + len(ADDED) + 1,
            lost=tuple(_lost(after)),
            conflicts=tuple("".join(each) for each in conflicts),
            vanished=tuple(sorted(paths - after.keys() - MOVED.keys() - _moved_now(after))),
            setting="max_lifetime" if b"\nmax_lifetime" in after["config/production.toml"] else "lifetime",
            answers=tuple(name for name, value in answers.items() if _answers(project)[name] != value),
        )


def next_of(releases: Releases, at: str, project: Path) -> str:
    """The release that the project's own framework would take next; empty where there is none."""
    done = releases.migrate(at, project, "--upgrade=next")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def _lost(after: dict[str, bytes]) -> Iterator[str]:
    for path, (_, new) in EDITS.items():
        text = after.get(MOVED.get(path, path), after.get(path, b"")).decode()
        if new not in text:
            yield path
    yield from (path for path, text in ADDED.items() if after.get(path) != text.encode())
    if THROWN_AWAY in after:
        yield THROWN_AWAY


def _moved_now(after: dict[str, bytes]) -> set[str]:
    """The new places of what has not been moved yet."""
    return {new for old, new in MOVED.items() if old in after}


def _answers(project: Path) -> dict[str, str]:
    said = yaml.safe_load((project / ".copier-answers.yml").read_text())
    return {name: value for name, value in said.items() if name[0] != "_"}


def table(releases: Releases, rows: list[Upgraded]) -> str:
    """The page: every pair, with what was counted."""
    lines = [
        f"| {_named(releases, row.before)} | {_named(releases, row.after)} | {row.updates} | {row.edits}"
        f" | {len(row.lost)} | {len(row.conflicts)} | {len(row.vanished)} | {len(row.answers)} |"
        for row in sorted(rows, key=lambda row: (release(row.before) or _NONE, release(row.after) or _NONE))
    ]
    return PAGE + "\n".join(lines) + "\n"


def _named(releases: Releases, tag: str) -> str:
    at = release(tag) or _NONE
    real = [each for each in releases.tags if each not in releases.simulated]
    return tag if tag in real or at == release(releases.tags[0]) else f"{tag} (simulated)"


_NONE = Release(0, 0, 0)
PAGE = f"""\
# Upgrades that were tried

A project is made from each release, a team works on it, and `launchworthy migrate` and `copier update` take
it from release to release, as `nox -s upgrade` does.
The work is an edit in each of {len(EDITS)} files, theirs alone and managed ones, {len(ADDED)} files of their
own, and one of the template's thrown away.
The simulated releases come after the newest: a patch that moves a file of the team's and a managed one, a
minor version whose template changes eleven files and has renamed a setting, and one more.
This page is written by `python3 noxfile.py -s template -- -k upgrade_matrix --write-pages`.

| from | to | upgrades | edits | lost | conflicts | paths vanished | answers changed |
|---|---|---|---|---|---|---|---|
"""
