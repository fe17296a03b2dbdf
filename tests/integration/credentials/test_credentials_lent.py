"""A real server that borrows from simulated brokers, for simulated upstreams."""

import threading
import time

import httpx2
import pytest
from lending_orders import Borrowing, borrowing, project

from launchworthy.testing.client import Client
from launchworthy.testing.issuer import Fault
from launchworthy.testing.upstream import SimulatedUpstream
from launchworthy.testing.world import wait_until
from launchworthy.vocabulary import ToolError

NOT_NOW = "`payments` cannot be used now"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lending")
    with borrowing(folder / "world", project(folder / "orders")) as found:
        yield found


@pytest.fixture
def server(running: Borrowing):
    yield running
    running.world.issuer.faults.clear()
    running.world.issuer.answers({})
    payments(running).fault = Fault.NONE


def payments(server: Borrowing) -> SimulatedUpstream:
    return server.world.lending.upstreams["payments"]


def the_last_is_revoked(server: Borrowing) -> None:
    wait_until(lambda: payments(server)[-1].credential_revoked, what="the revocation")


def test_a_call_borrows_uses_and_gives_back(server):
    assert server.call("pay") == {"status": "200"}
    request = payments(server)[-1]
    assert (request.method, request.path, request.json) == ("POST", "/payments", {"way": "plain"})
    assert request.credential_revoked
    issued, taken = server.records()[-2:]
    assert (issued["is"], taken["is"]) == ("credential.issued", "credential.revoked")
    assert issued["scopes"] == ["refunds:create"]
    assert issued["lease"] == taken["lease"]
    assert issued["not_after"] <= time.time() + 120
    assert request.credential not in server.written


def test_a_plain_function_borrows_too(server):
    assert server.call("pay_plainly") == {"status": "200"}
    assert payments(server)[-1].credential_revoked


def test_a_coroutine_that_borrows_as_a_plain_function_fails_and_hangs_nothing(server):
    seen = len(payments(server))
    with pytest.raises(ToolError, match="this call failed"):
        server.call("pay_wrongly")
    assert len(payments(server)) == seen


@pytest.mark.parametrize(
    ("way", "said"),
    [("fail", "this call failed"), ("tell", "the shop is closed"), ("hang", "longer than 2 s")],
)
def test_however_a_body_ends_its_credential_is_taken_back(server, way, said):
    seen = len(payments(server))
    with pytest.raises(ToolError, match=said):
        server.call("pay", way=way)
    assert len(payments(server)) == seen + 1
    assert payments(server)[-1].credential_revoked


def test_a_client_that_leaves_takes_its_credential_with_it(server):
    seen = len(payments(server))
    with (
        Client(server.world.url, server.world.token("orders:write"), timeout=0.8) as caller,
        pytest.raises(httpx2.ReadTimeout),
    ):
        caller.call("pay", way="hang")
    assert len(payments(server)) == seen + 1
    the_last_is_revoked(server)


def test_a_client_that_is_kept_after_its_block_sends_nothing(server):
    seen = len(payments(server))
    assert "has ended" in server.call("pay", way="late")["late"]
    assert [request.path for request in payments(server)][seen:] == ["/payments"]


def test_each_call_has_a_credential_of_its_own_and_none_is_used_again(server):
    seen = len(payments(server))
    threads = [threading.Thread(target=server.call, args=("pay",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    requests = list(payments(server))[seen:]
    assert len({request.credential for request in requests}) == 4
    assert all(request.credential_revoked for request in requests)


def test_the_callers_token_reaches_neither_the_tool_nor_the_upstream_nor_a_log(server):
    token = server.world.token("orders:write")
    with Client(server.world.url, token) as caller:
        ending = token.reveal()[:-41:-1]
        assert caller.call("snoop", wanted=ending) == {"found": False, "looked": True}
        assert caller.call("snoop", wanted=server.world.subject[::-1])["found"] is True, (
            "it can find what is there"
        )
    request = payments(server)[-1]
    whole = str(dict(request.headers)) + request.query + request.body.decode()
    for part in token.reveal().split("."):
        assert part[-40:] not in whole.replace(request.credential, "")
        assert part[-40:] not in server.written
    assert request.headers["host"] == payments(server).url.removeprefix("http://")
    assert request.headers["authorization"] == f"Bearer {request.credential}"


def test_an_exchanged_token_names_the_caller_and_who_acts_for_it(server):
    import base64
    import json

    server.call("pay")
    claims = json.loads(base64.urlsafe_b64decode(payments(server)[-1].credential.split(".")[1] + "=="))
    assert claims["sub"] == server.world.issuer.client.client_id
    assert claims["act"] == {"sub": server.world.subject}
    assert claims["aud"] == payments(server).url


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/x",
        "http://127.0.0.1:1/x",
        "http://localhost/x",
        "http://user@127.0.0.1/",
        "/a/%2e%2e/b",
        "/a/..%2fb",
        "/a/%252e%252e/b",
        "/a/..%252fb",
        "/a/..;x=1/b",
        "/a/..%5cb",
    ],
)
def test_the_client_reaches_no_other_host(server, url):
    seen = len(payments(server))
    assert server.call("wander", url=url)["refused"] == "OtherHostError"
    assert len(payments(server)) == seen
    assert server.call("wander", url="/a/b") == {"status": "200"}
    assert payments(server)[-1].path == "/a/b"


def test_a_redirect_is_not_followed(server):
    payments(server).fault = Fault.REDIRECT
    assert server.call("wander", url="/x") == {"status": "302"}


def test_what_is_longer_than_the_bound_is_not_read(server):
    payments(server).fault = Fault.HUGE
    assert server.call("wander", url="/x") == {"refused": "AnswerTooLongError"}


@pytest.mark.parametrize("fault", [Fault.STATUS_500, Fault.DENIED, Fault.HANG])
def test_an_issuer_that_fails_is_an_error_and_the_upstream_is_not_asked(server, fault):
    seen = len(payments(server)), payments(server).refused
    server.world.issuer.faults.token = fault
    with pytest.raises(ToolError, match=NOT_NOW):
        server.call("pay_plainly")
    assert (len(payments(server)), payments(server).refused) == seen
    assert server.kinds()[-1] == "credential.refused"
    server.world.issuer.faults.token = Fault.NONE
    assert server.call("pay") == {"status": "200"}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"scope": "refunds:create admin"}, "scopes that were not asked for: `admin`"),
        ({"expires_in": 600}, "480 s longer"),
    ],
)
def test_a_credential_that_came_too_wide_is_refused_and_taken_back(server, changes, why):
    seen = len(payments(server))
    server.world.issuer.answers(changes)
    with pytest.raises(ToolError, match=NOT_NOW):
        server.call("pay")
    assert len(payments(server)) == seen
    issued, refused, taken = server.records()[-3:]
    assert [each["is"] for each in (issued, refused, taken)] == [
        "credential.issued", "credential.refused", "credential.revoked",
    ]  # fmt: skip
    assert why in refused["detail"]
    assert issued["lease"] == refused["lease"] == taken["lease"]


@pytest.mark.parametrize("changes", [{"expires_in": None}, {"token_type": "DPoP"}])
def test_an_answer_that_is_no_token_of_ours_is_refused(server, changes):
    server.world.issuer.answers(changes)
    with pytest.raises(ToolError, match=NOT_NOW):
        server.call("pay")
    assert server.kinds()[-1] == "credential.refused"


def test_a_revocation_that_fails_is_recorded_and_tried_until_it_succeeds(server):
    server.world.issuer.faults.revocation = Fault.STATUS_500
    assert server.call("pay") == {"status": "200"}
    failed = server.records()[-1]
    assert failed["is"] == "credential.revoke_failed"
    assert failed["not_after"] > time.time()
    assert not payments(server)[-1].credential_revoked
    server.world.issuer.faults.revocation = Fault.NONE
    the_last_is_revoked(server)
    wait_until(lambda: server.kinds()[-1] == "credential.revoked", what="its record")
    assert server.records()[-1]["lease"] == failed["lease"]


def test_what_the_manifest_does_not_name_is_asked_of_nobody(server):
    asked = server.world.issuer.counts["token"]
    answer = server.call("borrow", name="savings")
    assert "does not name the credential `savings`" in answer["not allowed"]
    assert server.world.issuer.counts["token"] == asked
    refused = server.records()[-1]
    assert (refused["is"], refused["credential"], refused["broker"]) == (
        "credential.refused", "savings", "none",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "parts", "ends"),
    [
        ("vault", "token", "credential.revoked"),
        ("cloud", "access_key_id secret_access_key session_token", "credential.abandoned"),
        ("mounted", "", "credential.abandoned"),
        ("ours", "", "credential.abandoned"),
        ("payments", "", "credential.revoked"),
    ],
)
def test_each_broker_lends_and_what_it_lends_ends_with_its_block(server, name, parts, ends):
    answer = server.call("borrow", name=name)
    assert "has ended" in answer["after"]
    assert int(answer["length"]) > 16
    assert answer["parts"] == parts
    assert "Secret(…)" in answer["shown"]
    issued, ended = server.records()[-2:]
    assert (issued["is"], ended["is"]) == ("credential.issued", ends)
    assert issued["credential"] == name


def test_the_store_is_left_without_a_lease_and_without_a_login(server):
    store = server.world.lending.store
    server.call("borrow", name="vault")
    assert store.lent > 0
    assert (store.unrevoked, store.logged_in) == (0, 0)


@pytest.mark.parametrize("fault", ["login", "read"])
def test_a_store_that_fails_lends_nothing_and_keeps_no_login(server, fault):
    store = server.world.lending.store
    setattr(store, fault, Fault.STATUS_500)
    try:
        with pytest.raises(ToolError, match="`vault` cannot be used now"):
            server.call("borrow", name="vault")
    finally:
        setattr(store, fault, Fault.NONE)
    assert (store.unrevoked, store.logged_in) == (0, 0)


@pytest.mark.parametrize(
    "changes", [{"lease_id": ""}, {"lease_duration": 0}, {"data": None}, {"data": {"a": "1", "b": "2"}}]
)
def test_a_secret_that_is_no_lease_is_refused_and_its_login_ended(server, changes):
    store = server.world.lending.store
    store.answer = changes
    try:
        with pytest.raises(ToolError, match="`vault` cannot be used now"):
            server.call("borrow", name="vault")
    finally:
        store.answer = {}
    assert (store.unrevoked, store.logged_in) == (0, 0)


def test_a_lease_of_the_store_that_lives_too_long_is_taken_back(server):
    store = server.world.lending.store
    store.answer = {"lease_duration": 3600}
    try:
        with pytest.raises(ToolError, match="`vault` cannot be used now"):
            server.call("borrow", name="vault")
    finally:
        store.answer = {}
    assert server.kinds()[-3:] == ["credential.issued", "credential.refused", "credential.revoked"]
    assert store.unrevoked == 0


def test_tokens_of_the_workload_itself_are_shared_and_exchanged_ones_are_not(server):
    server.call("borrow", name="ours")
    asked = server.world.issuer.counts["token"]
    for _ in range(3):
        server.call("borrow", name="ours")
    assert server.world.issuer.counts["token"] == asked
    for _ in range(3):
        server.call("pay")
    assert server.world.issuer.counts["token"] == asked + 3


def test_a_mounted_secret_is_read_anew(server):
    place = server.world.lending.directory / "mounted"
    before = place.read_text()
    place.write_text("x" * 99)
    try:
        assert server.call("borrow", name="mounted")["length"] == "99"
        place.chmod(0o644)
        with pytest.raises(ToolError, match="`mounted` cannot be used now"):
            server.call("borrow", name="mounted")
    finally:
        place.write_text(before)
        place.chmod(0o600)


def test_the_cloud_is_asked_for_a_session_that_bears_the_calls_id(server):
    server.call("borrow", name="cloud")
    asked = server.world.lending.sts.asked[-1]
    assert asked["DurationSeconds"] == "900"
    assert asked["RoleSessionName"] == server.records()[-1]["call"]


def test_nothing_that_was_lent_stands_in_a_log(server):
    for request in payments(server):
        assert request.credential not in server.written
    assert server.world.lending.mounted("mounted") not in server.written
