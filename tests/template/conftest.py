"""Each line of the answer matrix is rendered once."""

from collections.abc import Callable
from pathlib import Path

import pytest
from rendering import MATRIX, copy_template, git, render_into

Render = Callable[[str], Path]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-pages", action="store_true", help="write the pages that are generated here")


def pytest_itemcollected(item: pytest.Item) -> None:
    item.add_marker(pytest.mark.template)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template as a repository with one commit: what `copier copy` is given elsewhere."""
    repository = copy_template(tmp_path_factory.mktemp("template") / "repository")
    git(repository, "init", "--quiet")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "the template")
    return repository


@pytest.fixture(scope="session")
def render(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Render:
    """The rendering of one line of the matrix; nobody changes it."""
    rendered: dict[str, Path] = {}

    def of(case: str) -> Path:
        if case not in rendered:
            rendered[case] = render_into(
                template, tmp_path_factory.mktemp("rendered") / "project", MATRIX[case]
            )
        return rendered[case]

    return of


@pytest.fixture(params=MATRIX)
def project(request: pytest.FixtureRequest, render: Render) -> Path:
    """Each rendering of the matrix in turn."""
    return render(request.param)
