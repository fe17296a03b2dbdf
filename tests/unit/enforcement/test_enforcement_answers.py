"""From reasons to answers: one table, and nothing of a refusal's detail in any answer."""

import json

import pytest

from launchworthy.enforcement.answers import TABLE, Challenges, refusal, row_of, unfit
from launchworthy.enforcement.arguments import Fault
from launchworthy.enforcement.request import HeaderSectionTooLarge, MethodNotAllowed, UnsupportedRevision
from launchworthy.vocabulary import CallId, Reason, Refused, wire_word

CALL = CallId("4T7K-9QX2-M0DV")
CHALLENGES = Challenges(entry=("orders:read",), resource_metadata="https://a.example/.well-known/x/mcp")
SCOPES = ("orders:refund", "orders:write")


def answer(refused, request_id=1):
    written = refusal(refused, call=CALL, request_id=request_id, challenges=CHALLENGES)
    return written.status, dict(written.headers), json.loads(written.body)


def of(reason):
    return Refused(reason, "a detail with a secret", scopes=SCOPES if reason is Reason.TOOL_SCOPE else ())


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_an_answer_that_says_its_wire_word_and_no_detail(reason):
    status, headers, body = answer(of(reason))
    assert status == TABLE[reason].status
    assert status >= 400
    assert body["error"]["data"]["reason"] == wire_word(reason).value
    assert body["error"]["data"]["call"] == CALL
    assert headers[b"launchworthy-call"] == CALL.encode()
    assert headers[b"cache-control"] == b"no-store"
    assert "secret" not in json.dumps(body) + str(headers)


def test_no_code_lies_where_new_ones_are_closed_or_reserved():
    specified = {-32020, -32021, -32022}
    for row in TABLE.values():
        code = row.code if row.code is not None else row.status
        assert code in specified or not -32099 <= code <= -32000


def test_every_bad_token_is_answered_alike():
    rows = {TABLE[reason] for reason in Reason if reason.family == "token"}
    assert len(rows) == 1


@pytest.mark.parametrize(
    ("reason", "status", "challenge"),
    [
        (Reason.CREDENTIAL_MISSING, 401, 'Bearer scope="orders:read", '),
        (Reason.CREDENTIAL_SCHEME, 401, 'Bearer scope="orders:read", '),
        (Reason.CREDENTIAL_DUPLICATE, 400, 'Bearer error="invalid_request", scope="orders:read", '),
        (Reason.TOKEN_EXPIRED, 401, 'Bearer error="invalid_token", scope="orders:read", '),
        (Reason.TOOL_SCOPE, 403, 'Bearer error="insufficient_scope", scope="orders:refund orders:write", '),
        (Reason.TOOL_POLICY, 403, None),
        (Reason.KEYS_UNAVAILABLE, 503, None),
        (Reason.TOOL_UNKNOWN, 400, None),
    ],
)
def test_a_challenge_is_sent_where_another_token_could_change_the_answer(reason, status, challenge):
    found, headers, _ = answer(of(reason))
    assert found == status
    if challenge is None:
        assert b"www-authenticate" not in headers
    else:
        assert (
            headers[b"www-authenticate"].decode()
            == challenge + f'resource_metadata="{CHALLENGES.resource_metadata}"'
        )


def test_what_may_pass_by_itself_says_when_to_try_again():
    assert answer(Refused(Reason.KEYS_UNAVAILABLE, "x", retry_after=17))[1][b"retry-after"] == b"17"
    assert answer(Refused(Reason.AUDIT_UNWRITABLE, "x"))[1][b"retry-after"] == b"5"
    assert answer(Refused(Reason.LIMIT_RATE, "x", retry_after=0))[1][b"retry-after"] == b"0"
    assert b"retry-after" not in answer(Refused(Reason.TOOL_POLICY, "x"))[1]


def test_a_request_that_was_read_is_invalid_in_its_parameters_and_before_that_as_a_request():
    assert answer(Refused(Reason.PROTOCOL_INVALID, "x"), 1)[2]["error"]["code"] == -32602
    assert answer(Refused(Reason.PROTOCOL_INVALID, "x"), 0)[2]["error"]["code"] == -32602
    assert answer(Refused(Reason.PROTOCOL_INVALID, "x"), None)[2]["error"]["code"] == -32600


def test_some_refusals_say_more_than_their_reason():
    status, headers, _ = answer(MethodNotAllowed("GET"))
    assert (status, headers[b"allow"]) == (405, b"GET")
    assert answer(HeaderSectionTooLarge("x"))[0] == 431
    assert row_of(Refused(Reason.HTTP_SIZE, "x")).status == 413
    _, _, body = answer(UnsupportedRevision("2024-11-05", ("2026-07-28",)))
    assert (
        body["error"]["data"] | {"supported": ["2026-07-28"], "requested": "2024-11-05"}
        == body["error"]["data"]
    )


def test_a_connection_ends_where_more_of_a_body_may_come():
    for reason in (Reason.HTTP_SIZE, Reason.HTTP_DEADLINE):
        assert answer(of(reason))[1][b"connection"] == b"close"
    assert b"connection" not in answer(of(Reason.TOKEN_EXPIRED))[1]


def test_unfit_arguments_are_a_tools_result():
    faults = (
        Fault(field="a", kind="int_type", declared="a"),
        Fault(field="b.c", kind="missing", declared="b"),
    )
    for modern in (True, False):
        written = unfit(faults, call=CALL, request_id="x", modern=modern)
        body = json.loads(written.body)
        assert (written.status, body["id"], body["result"]["isError"]) == (200, "x", True)
        assert (
            body["result"]["content"][0]["text"]
            == f"the arguments do not fit: `a` (int_type), `b.c` (missing); call {CALL}"
        )
        assert ("resultType" in body["result"]) is modern
