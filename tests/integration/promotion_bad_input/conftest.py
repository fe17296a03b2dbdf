"""One good project, spoiled and put back for each test."""

import pytest
from spoiling import PromotedOrders


@pytest.fixture(scope="session")
def good_orders(tmp_path_factory: pytest.TempPathFactory) -> PromotedOrders:
    return PromotedOrders.make(tmp_path_factory.mktemp("spoiled"))
