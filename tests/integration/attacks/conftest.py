import pytest
from attacked_orders import Attacked, attacked


@pytest.fixture(scope="session")
def orders(tmp_path_factory) -> Attacked:
    with attacked(tmp_path_factory.mktemp("attacked")) as standing:
        yield standing
