"""What `copier.yml` and the names in `template/` must never hold."""

import subprocess

import pytest
import yaml
from rendering import ROOT

CONFIG = yaml.safe_load((ROOT / "copier.yml").read_text())


def _template_files() -> list[str]:
    listed = [
        "git",
        "-C",
        str(ROOT),
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
        "template",
    ]
    return [
        name
        for name in subprocess.run(listed, check=True, capture_output=True, text=True).stdout.split("\0")
        if name
    ]


@pytest.mark.parametrize(
    "setting", ["_tasks", "_migrations", "_jinja_extensions", "_external_data", "_secret_questions"]
)
def test_nothing_needs_trust(setting: str) -> None:
    assert setting not in CONFIG


def test_no_question_is_a_secret() -> None:
    assert not [name for name, question in CONFIG.items() if name[0] != "_" and question.get("secret")]


def test_files_are_protected_by_globs_alone() -> None:
    """During an update the answers are not known yet: a templated pattern protects nothing."""
    assert CONFIG["_skip_if_exists"]
    assert not [glob for glob in CONFIG["_skip_if_exists"] if "{" in glob]


def test_what_is_undefined_stops_a_rendering() -> None:
    assert CONFIG["_envops"] == {"undefined": "jinja2.StrictUndefined"}
    assert CONFIG["_subdirectory"] == "template"


def test_every_path_can_be_checked_out_on_every_system() -> None:
    assert not [name for name in _template_files() if set(name) & set('"<>|?*:\\')]


def test_templates_stay_thin() -> None:
    """What is long belongs into the framework; these have their reasons."""
    long = {
        "noxfile.py",
        "release.yml",
        "deployment.yaml.jinja",
        "kustomization.yaml.jinja",
        "valkey.yaml.jinja",
        "RUNBOOK.md.jinja",
        "store.py",
        "upgrade.yml",
        "pyproject.toml.jinja",
    }
    for name in _template_files():
        path = ROOT / name
        assert path.name in long or len(path.read_text().splitlines()) <= 60, name
