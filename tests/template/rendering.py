"""Renders the template of the working tree, and looks at what came out."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import copier
import yaml

ROOT = Path(__file__).resolve().parents[2]
ORDERS = yaml.safe_load((ROOT / "examples" / "orders-answers.yml").read_text())
MATRIX: Mapping[str, Mapping[str, str]] = {
    "orders": ORDERS,
    "orders, a token file": ORDERS | {"identity": "file"},
    "orders, no Kubernetes": ORDERS | {"deployment": "none"},
    "orders, a token file, no Kubernetes": ORDERS | {"identity": "file", "deployment": "none"},
    "all left for later": {},
    "the longest name": {"name": "order-" + "desk" * 8 + "-9"},
}


def render_into(source: Path, target: Path, answers: Mapping[str, str], *, ref: str = "HEAD") -> Path:
    copier.run_copy(str(source), target, data=dict(answers), vcs_ref=ref, defaults=True, quiet=True)
    return target


def copy_template(target: Path) -> Path:
    """The template of the working tree, without what else is in the repository."""
    version = Path("framework", "launchworthy", "_version.py")
    (target / version).parent.mkdir(parents=True)
    shutil.copytree(ROOT / "template", target / "template")
    shutil.copy(ROOT / "copier.yml", target)
    shutil.copy(ROOT / version, target / version)
    return target


def files_of(project: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(project)): path.read_bytes()
        for path in sorted(project.rglob("*"))
        if path.is_file() and ".git/" not in f"{path.relative_to(project)}/"
    }


def git(folder: Path, *arguments: str) -> str:
    person = ["-c", "user.name=team", "-c", "user.email=team@orders.invalid", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(folder), *person, "-c", "init.defaultBranch=main", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
