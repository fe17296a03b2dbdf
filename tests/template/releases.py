"""A repository with releases: those that have a tag here, and three simulated ones after them.

This tree is the release of its own version, unless that has a tag already. After it come a patch of the
framework that has two paths moved, the minor version whose template has them there and renamed keys, and one
more minor version. Each release has its own framework, which is what migrates.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rendering import ROOT, git

from launchworthy.migration.releases import Release, release

STEPS = """
STEPS: Final[tuple[Step, ...]] = (
    Step(
        release=Release(*{patch}),
        why="tests of tools and Services have a folder of their own",
        moves=(
            Move(before="tests/test_tools.py", after="tests/tools/test_tools.py"),
            Move(before="deploy/service.yaml", after="deploy/services/service.yaml"),
        ),
        keys=(),
    ),
{more}
)
"""
MORE = """
    Step(
        release=Release(*{minor}),
        why="a token lives a while, and not at most",
        moves=(),
        keys=(
            KeyRename(files="config/*.toml", table=("issuers", "*"), before="max_lifetime", after="lifetime"),
        ),
    ),
"""
DEPLOY = "template/{% if deployment == 'kubernetes' %}deploy{% endif %}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Releases:
    """What was built.

    Attributes:
        repository: the template's.
        tags: every release, the oldest first.
        simulated: those that nobody made but this.
    """

    repository: Path
    tags: tuple[str, ...]
    simulated: frozenset[str]

    def framework(self, tag: str) -> Path:
        """The framework of a release, to be put before what is installed."""
        folder = self.repository.parent / "frameworks" / tag
        if not folder.exists():
            folder.mkdir(parents=True)
            archive = folder.parent / f"{tag}.tar"
            git(self.repository, "archive", f"--output={archive}", tag, "framework")
            subprocess.run(["tar", "-xf", archive, "-C", folder], check=True)
        return folder / "framework"

    def migrate(self, tag: str, project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `launchworthy migrate` as the framework of a release has it."""
        environ: Mapping[str, str] = {**os.environ, "PYTHONPATH": str(self.framework(tag))}
        command = [sys.executable, "-m", "launchworthy.cli", "migrate", *arguments]
        return subprocess.run(command, cwd=project, env=environ, capture_output=True, text=True, check=False)


def make_releases(repository: Path) -> Releases:
    """Clone this repository, commit this tree, and release after it."""
    subprocess.run(["git", "clone", "--quiet", "--shared", str(ROOT), str(repository)], check=True)
    real = git(repository, "tag", "--list", "v*").split()
    for changed in ("template", "copier.yml", "framework"):
        git(repository, "rm", "-r", "--quiet", changed)
    shutil.copytree(ROOT / "template", repository / "template")
    shutil.copytree(
        ROOT / "framework", repository / "framework", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(ROOT / "copier.yml", repository)
    at = release(_version_of(repository))
    assert at is not None
    simulated = set()
    if at.tag not in real:
        simulated.add(_release(repository, at))
    patch = Release(at.major, at.minor, at.patch + 1)
    minor = Release(at.major, at.minor + 1, 0)
    last = Release(at.major, at.minor + 2, 0)
    _steps(repository, STEPS.format(patch=_numbers(patch), more=""))
    simulated.add(_release(repository, patch))
    _change_template(repository)
    _steps(repository, STEPS.format(patch=_numbers(patch), more=MORE.format(minor=_numbers(minor))))
    simulated.add(_release(repository, minor))
    _edit(repository, "template/.github/workflows/ci.yml", "timeout-minutes: 20", "timeout-minutes: 25")
    _edit(repository, "template/manifests/tools.toml", "find_orders", "list_orders")
    simulated.add(_release(repository, last))
    tags = sorted({*real, *simulated}, key=lambda tag: release(tag) or last)
    return Releases(repository=repository, tags=tuple(tags), simulated=frozenset(simulated))


def _change_template(repository: Path) -> None:
    """What a minor version does: other versions, other lines, something new, something elsewhere."""
    for path, old, new in (
        ("template/Dockerfile.jinja", "EXPOSE 8443 8081\n", 'EXPOSE 8443 8081\nLABEL news="yes"\n'),
        ("template/.github/workflows/ci.yml", "timeout-minutes: 15", "timeout-minutes: 20"),
        ("template/noxfile.py", 'NOX = "nox[uv]==', 'NOX = "nox[uv,pbs]=='),
        ("template/pyproject.toml.jinja", '"pip-audit>=2.9"', '"pip-audit>=2.10"'),
        ("template/.pre-commit-config.yaml", "repos:", "fail_fast: true\nrepos:"),
        (f"{DEPLOY}/deployment.yaml.jinja", "cpu: 100m", "cpu: 150m"),
        (f"{DEPLOY}/kustomization.yaml.jinja", "  - service.yaml\n", "  - services/service.yaml\n"),
        ("template/src/{{ package }}/tools.py.jinja", "def refund_order", "def undo_order"),
        ("template/manifests/tools.toml", "refund_order", "undo_order"),
        ("template/config/production.toml.jinja", "max_lifetime = ", "lifetime     = "),
        ("template/config/staging.toml.jinja", "max_lifetime = ", "lifetime     = "),
    ):
        _edit(repository, path, old, new)
    (repository / "template" / "NEWS.md").write_text("# Managed by the template: what is new.\n")
    for before, after in (
        ("template/tests/test_tools.py", "template/tests/tools/test_tools.py"),
        (f"{DEPLOY}/service.yaml.jinja", f"{DEPLOY}/services/service.yaml.jinja"),
    ):
        (repository / after).parent.mkdir()
        (repository / before).rename(repository / after)
    _edit(
        repository,
        "copier.yml",
        "  - /tests/test_tools.py\n",
        "  - /tests/test_tools.py\n  - /tests/tools/*.py\n",
    )


def _steps(repository: Path, steps: str) -> None:
    """Give the framework of the next release its steps."""
    path = repository / "framework" / "launchworthy" / "migration" / "steps.py"
    path.write_text(path.read_text().partition("\nSTEPS:")[0] + steps)


def _edit(repository: Path, path: str, old: str, new: str) -> None:
    text = (repository / path).read_text()
    assert old in text, f"{path} does not hold {old!r}"
    (repository / path).write_text(text.replace(old, new))


def _release(repository: Path, version: Release) -> str:
    file = repository / "framework" / "launchworthy" / "_version.py"
    file.write_text(file.read_text().replace(_version_of(repository), str(version)))
    git(repository, "add", "--all", "--force", "template", "framework", "copier.yml")
    git(repository, "commit", "--quiet", "--allow-empty", "--message", version.tag)
    git(repository, "tag", version.tag)
    return version.tag


def _version_of(repository: Path) -> str:
    text = (repository / "framework" / "launchworthy" / "_version.py").read_text()
    return text.partition('__version__ = "')[2].partition('"')[0]


def _numbers(version: Release) -> tuple[int, int, int]:
    return version.major, version.minor, version.patch
