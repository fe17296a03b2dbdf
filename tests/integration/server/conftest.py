import pytest
from server_orders import Orders


@pytest.fixture
def orders(tmp_path):
    return Orders.copy(tmp_path)
