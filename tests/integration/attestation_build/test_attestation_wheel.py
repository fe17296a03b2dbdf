"""Whose files are in this wheel? Each that is not the tree's, beside the wheel that holds the tree."""

import zipfile
from pathlib import Path

import pytest
from orders_project import ENVIRON, Project

from launchworthy.attestation.tree import GitFacts, read_git_facts
from launchworthy.attestation.wheel_of_tree import require_wheel_of
from launchworthy.vocabulary import ProblemError


def altered(wheel: Path, **changes: str | None) -> Path:
    """The same wheel with files changed, added or (None) taken out."""
    other = wheel.with_name(f"other-{wheel.name}")
    names = {name.replace("__", "/"): content for name, content in changes.items()}
    with zipfile.ZipFile(wheel) as before, zipfile.ZipFile(other, "w") as after:
        for name in before.namelist():
            if name not in names:
                after.writestr(name, before.read(name))
        for name, content in names.items():
            if content is not None:
                after.writestr(name, content)
    return other


def facts(project: Project) -> GitFacts:
    return read_git_facts(project.root, environ=ENVIRON)


def test_a_wheel_of_the_tree_is_one(project: Project) -> None:
    wheel = project.build()
    require_wheel_of(project.root, wheel, facts(project))
    require_wheel_of(project.root, altered(wheel), facts(project))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"orders__tools.py": "def find_orders(): ...\n"}, "`orders/tools.py`"),
        ({"orders__more.py": ""}, "`orders/more.py`"),
        (
            {"orders___launchworthy__policy__rules.cedar": "permit (principal, action, resource);"},
            "rules.cedar",
        ),
        ({"orders___launchworthy__promotion.toml": None}, "lacks"),
        ({"launchworthy__attestation__verification.py": ""}, "nothing beside it"),
        ({"sitecustomize.py": ""}, "nothing beside it"),
        ({"gate.pth": "import os"}, "nothing beside it"),
        ({"orders-0.3.1.data__purelib__gate.pth": "import os"}, "nothing beside it"),
        ({"orders-0.3.1.dist-info__more.py": ""}, "nothing beside it"),
    ],
)
def test_what_is_not_the_trees_is_refused(
    changes: dict[str, str | None], says: str, project: Project
) -> None:
    wheel = altered(project.build(), **changes)
    with pytest.raises(ProblemError) as caught:
        require_wheel_of(project.root, wheel, facts(project))
    [problem] = caught.value.problems
    assert problem.reason == "wheel-of-another-tree"
    assert says in problem.what


def test_the_wheel_of_another_commit_is_refused(project: Project) -> None:
    wheel = project.build()
    project.write("src/orders/tools.py", "def find_orders(customer: str) -> list[str]:\n    return []\n")
    with pytest.raises(ProblemError) as caught:
        require_wheel_of(project.root, wheel, facts(project))
    assert caught.value.problems[0].reason == "wheel-of-another-tree"


@pytest.mark.parametrize("how", ["ignored", "linked"])
def test_what_lies_in_the_tree_and_in_no_commit_is_refused(how: str, project: Project) -> None:
    wheel = project.build()
    project.write(".gitignore", "dist/\n")
    linked = how == "linked"
    if linked:
        (project.root / "src" / "orders" / "more").symlink_to("../../dist/more")
    project.commit()
    place, name = ("dist/more", "orders/more") if linked else ("src/orders/dist", "orders/dist")
    project.write(f"{place}/evil.py", "x = 1\n")
    assert facts(project).differing == ()
    with pytest.raises(ProblemError) as caught:
        require_wheel_of(project.root, altered(wheel, **{f"{name}/evil.py": "x = 1\n"}), facts(project))
    [problem] = caught.value.problems
    assert problem.reason == "wheel-of-another-tree"
    assert "does not hold" in problem.what
