"""One company for all of these tests: they look at their own calls only."""

import secrets
from collections.abc import Iterator

import pytest
from sdk_client_orders import Company, company


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    with company(tmp_path_factory.mktemp("company"), secrets.token_hex(16)) as standing:
        yield standing


@pytest.fixture(params=["2026-07-28", "legacy"])
def mode(request) -> str:
    return request.param
