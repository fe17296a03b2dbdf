"""One house for most tests, since they look at their own calls only; one of its own for who breaks things."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from house import House


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with House(tmp_path_factory.mktemp("house")) as standing:
        yield standing


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Callable[..., House]]:
    with ExitStack() as stack:
        yield lambda **how: stack.enter_context(House(tmp_path, **how))


@pytest.fixture(params=["2026-07-28", "2025-11-25"])
def revision(request: Any) -> str:
    return request.param
