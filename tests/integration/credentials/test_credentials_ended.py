"""What becomes of what is lent when the whole server ends, and under another kind of identity?"""

import contextlib
import threading

import pytest
from lending_orders import borrowing, project

from launchworthy.testing.client import Client
from launchworthy.testing.issuer import Fault
from launchworthy.testing.world import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tested(tmp_path_factory):
    return project(tmp_path_factory.mktemp("ended") / "orders")


def test_a_server_that_is_told_to_end_takes_everything_back_first(tested, tmp_path):
    with borrowing(tmp_path / "world", tested, grace="1s") as server:
        payments = server.world.lending.upstreams["payments"]
        payments.fault = Fault.HANG

        def call():
            token = server.world.token("orders:write")
            with contextlib.suppress(Exception), Client(server.world.url, token, timeout=20) as caller:
                caller.call("pay_plainly")  # its server is gone before it answers

        calls = [threading.Thread(target=call) for _ in range(3)]
        for thread in calls:
            thread.start()
        wait_until(lambda: len(payments) == 3, timeout=20, what="three calls upstream")
        assert not any(request.credential_revoked for request in payments)
        server.process.terminate()
        assert server.process.wait(60) == 0
        for thread in calls:
            thread.join()
        assert all(request.credential_revoked for request in payments)
        kinds = server.kinds()
        assert kinds.count("credential.issued") == kinds.count("credential.revoked") == 3
        for request in payments:
            assert request.credential not in server.written


def test_a_platforms_token_proves_who_we_are_too(tested, tmp_path):
    with borrowing(tmp_path / "world", tested, identity="file") as server:
        assert server.call("pay") == {"status": "200"}
        assert server.world.lending.upstreams["payments"][-1].credential_revoked
