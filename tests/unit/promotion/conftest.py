"""One finished project a session; tests change copies of it."""

from dataclasses import replace

import pytest
from promotion_project import Reference, ask, environment_of, finish, fresh_copy


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Reference:
    home = tmp_path_factory.mktemp("promotion")
    root = fresh_copy(home / "orders")
    answer = ask(root, environment_of(home / "environment", root))
    finish(root, answer)
    return Reference(root=root, answer=answer, scratch=home)


@pytest.fixture
def reference(finished, tmp_path) -> Reference:
    return replace(finished, scratch=tmp_path)
