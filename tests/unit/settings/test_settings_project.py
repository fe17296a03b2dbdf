"""Where a project's files are found, and what is refused of them."""

import sys
from pathlib import Path

import pytest

from launchworthy.settings import find_project, read_project
from launchworthy.vocabulary import Environment, ProblemError

FILES = {
    "manifests/server.toml": 'name = "orders"\n',
    "manifests/tools.toml": "",
    "policy/rules.cedar": "// rules\n",
    "policy/production/extra.cedar": "// more\n",
    "policy/staging/extra.cedar": "// other\n",
    "config/production.toml": "[server]\n",
    "config/development.toml": "[app]\n",
    "promotion.toml": "",
    "launchworthy.lock": "",
    "README.md": "not ours",
    "src/orders/tools.py": "not ours",
}


def lay_out(root: Path) -> Path:
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return root


def package(root: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = root / name
    home.mkdir(parents=True, exist_ok=True)
    (home / "__init__.py").write_text("raise SystemExit('imported')\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(root))
    return home


def test_a_source_tree_is_read_by_what_it_holds(tmp_path: Path) -> None:
    project = read_project(lay_out(tmp_path), "orders")
    assert set(project.files) == set(FILES) - {"README.md", "src/orders/tools.py"}
    assert not project.installed
    assert set(project.manifests()) == {"manifests/server.toml", "manifests/tools.toml"}
    assert set(project.policy(Environment.PRODUCTION)) == {
        "policy/rules.cedar",
        "policy/production/extra.cedar",
    }
    assert project.config(Environment.PRODUCTION) == ("config/production.toml", b"[server]\n")
    assert project.config(Environment.STAGING) is None


def test_an_editable_package_uses_the_nearest_folder_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out(tmp_path)
    package(tmp_path / "src", "orders_editable", monkeypatch)
    project = find_project("orders_editable")
    assert (project.root, project.installed) == (tmp_path.resolve(), False)
    assert "orders_editable" not in sys.modules


def test_a_wheel_uses_its_own_copy_and_nothing_above(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay_out(tmp_path)
    home = package(tmp_path / "site", "orders_wheel", monkeypatch)
    lay_out(home / "_launchworthy")
    project = find_project("orders_wheel")
    assert (project.root, project.installed) == ((home / "_launchworthy").resolve(), True)


def test_the_working_directory_is_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(lay_out(tmp_path / "here"))
    package(tmp_path / "there", "orders_elsewhere", monkeypatch)
    with pytest.raises(ProblemError, match="comes without its manifests"):
        find_project("orders_elsewhere")
    with pytest.raises(ProblemError, match="comes without its manifests"):
        find_project("orders_that_nobody_installed")


def test_a_link_out_of_the_tree_is_refused(tmp_path: Path) -> None:
    lay_out(tmp_path / "project")
    (tmp_path / "elsewhere.toml").write_text("x = 1\n", encoding="utf-8")
    (tmp_path / "project" / "config" / "staging.toml").symlink_to(tmp_path / "elsewhere.toml")
    with pytest.raises(ProblemError) as error:
        read_project(tmp_path / "project", "orders")
    assert error.value.problems[0].reason == "link-out-of-tree"


def test_a_link_within_the_tree_is_followed(tmp_path: Path) -> None:
    lay_out(tmp_path)
    (tmp_path / "config" / "staging.toml").symlink_to(tmp_path / "config" / "production.toml")
    assert read_project(tmp_path, "orders").config(Environment.STAGING) == (
        "config/staging.toml",
        b"[server]\n",
    )


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    (lay_out(tmp_path) / "config" / "production.toml").write_bytes(b"#" * (1024 * 1024 + 1))
    with pytest.raises(ProblemError) as error:
        read_project(tmp_path, "orders")
    assert error.value.problems[0].reason == "file-too-large"
