"""Copies of the example project, finished as a team would finish it, and what checks say of them."""

import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from launchworthy.promotion import lock
from launchworthy.promotion.child import Answer, Asking
from launchworthy.promotion.control import load_catalogue
from launchworthy.promotion.finding import ControlId, Finding
from launchworthy.promotion.place import place_at
from launchworthy.promotion.project import Project, load_project
from launchworthy.promotion.run import findings_of, run_checks
from launchworthy.vocabulary import Environment

REPOSITORY = Path(__file__).resolve().parents[3]
NOW = 1_795_000_000  # 2026-11-18
TODAY = "2026-11-18"
HASH = "sha256:" + "0f" * 32
UV_LOCK = f"""version = 1
requires-python = ">=3.11"

[[package]]
name = "launchworthy"
version = "0.1.0"
source = {{ registry = "https://index.acme.example/simple" }}
wheels = [
    {{ url = "https://index.acme.example/launchworthy-0.1.0-py3-none-any.whl", hash = "{HASH}" }},
]

[[package]]
name = "orders"
version = "0.1.0"
source = {{ editable = "." }}
dependencies = [{{ name = "launchworthy" }}]

[package.metadata]
requires-dist = [{{ name = "launchworthy", specifier = "~=0.1.0" }}]
"""
THEN = {f"GIT_{who}_DATE": f"{NOW} +0000" for who in ("AUTHOR", "COMMITTER")}
Edit = tuple[str, str, str]
FILLED_IN: tuple[Edit, ...] = (
    ("manifests/server.toml", "https://on-call.orders.invalid", "https://on-call.acme.example/orders"),
    ("manifests/server.toml", "security@orders.invalid", "security@acme.example"),
    ("manifests/server.toml", "1970-01-01", TODAY),
)


def edit(root: Path, *edits: Edit) -> Path:
    """Replace texts, each of which must be there; an empty one stands for the whole file."""
    for path, before, after in edits:
        file = root / path
        if before:
            text = file.read_text()
            assert before in text, f"{before!r} is not in {path}"
            file.write_text(text.replace(before, after))
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(after)
    return root


def fresh_copy(target: Path) -> Path:
    """What the template renders, with what `uv lock` and copier add to it."""
    ignored = shutil.ignore_patterns(".venv", ".launchworthy", "__pycache__", "uv.lock", "launchworthy.lock")
    shutil.copytree(REPOSITORY / "examples" / "orders", target, ignore=ignored)
    answers = "_commit: 0.1.0\n_src_path: https://git.acme.example/launchworthy\nname: orders\n"
    return edit(target, (".copier-answers.yml", "", answers), ("uv.lock", "", UV_LOCK))


def commit(root: Path) -> None:
    who = ["-c", "user.name=team", "-c", "user.email=team@orders.invalid", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "-q", "-b", "main"], ["add", "-A"], [*who, "commit", "-q", "-m", "all"]):
        command = ["git", "-C", str(root), *arguments]
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, **THEN})


def environment_of(target: Path, root: Path) -> Path:
    """A small environment that holds what this one holds, and the project."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(target)], check=True)
    python = target / "bin" / "python"
    script = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.run([python, "-c", script], check=True, capture_output=True, text=True).stdout
    paths = [sysconfig.get_path("purelib"), str(REPOSITORY / "framework"), str(root / "src")]
    (Path(packages.strip()) / "orders.pth").write_text("\n".join(paths) + "\n")
    return python


def ask(root: Path, python: Path) -> Answer:
    with Asking(python, "orders", root) as asking:
        return asking.answer()


def load(root: Path, answer: Answer, *, environment: Environment = Environment.PRODUCTION) -> Project:
    return load_project(
        place_at(root),
        environment=environment,
        python=Path(sys.executable),
        now=NOW,
        environ={"PATH": os.environ["PATH"], "HOME": str(root)},
        trust_file=root.parent / "trust.toml",
        answer=lambda: answer,
    )


def findings(project: Project) -> Mapping[str, Finding]:
    """What all checks say, by control."""
    controls = tuple(each for each in load_catalogue() if each.id in CHECKED)
    seen = run_checks(project, frozenset(control.id for control in controls))
    return {finding.control: finding for finding in findings_of(controls, seen, None)}


def look(control: str, project: Project) -> Finding:
    """What the checks of one control say."""
    [wanted] = [each for each in load_catalogue() if each.id == control]
    [finding] = findings_of((wanted,), run_checks(project, frozenset({ControlId(control)})), None)
    return finding


_CHECKED = """
ID-01 ID-02 ID-05 ID-06 TOK-04 TOK-05 TOK-06 KEY-07 TR-02 TR-06 AZ-01 AZ-03 AZ-05 TL-01 TL-02 TL-04
SEC-01 SEC-02 SEC-03 GOV-01 GOV-02 GOV-03 GOV-04 GOV-06 GOV-07 SUP-01 SUP-02 SUP-03 SUP-04 SUP-05
META-01 TL-03 TL-05 SEC-07
"""
CHECKED = frozenset(ControlId(name) for name in _CHECKED.split())


@dataclass(frozen=True)
class Reference:
    """The finished project, what its code says, and where copies of it are changed."""

    root: Path
    answer: Answer
    scratch: Path

    def project(self, *edits: Edit, environment: Environment = Environment.PRODUCTION) -> Project:
        """A copy with some changes, as the gate sees it; the code says what it said before."""
        target = self.scratch / f"orders-{time.monotonic_ns()}"
        shutil.copytree(self.root, target, symlinks=True)
        return load(edit(target, *edits), self.answer, environment=environment)


def finish(root: Path, answer: Answer) -> None:
    """Fill in what the template asks a person, write the lock, and commit."""
    edit(root, *FILLED_IN)
    (root / lock.NAME).write_text(lock.render(load(root, answer)))
    commit(root)


AWS_IN_UTF16 = ("﻿key = AKIA" + "Z7QK4M2XW5N3RT6B\n").encode("utf-16-le")
