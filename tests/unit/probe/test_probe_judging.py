"""What is right in a server that is not ours: a refusal as the standards want it, and nothing vague."""

import json

import httpx2
import pytest

from launchworthy.probe.answer import Answer, read_answer
from launchworthy.probe.case import Case
from launchworthy.probe.cases import CASES
from launchworthy.probe.challenge import read_challenges
from launchworthy.probe.judging import faults, went_through
from launchworthy.probe.probing import ELSEWHERE

INVALID = 'Bearer error="invalid_token"'
SCOPES = 'Bearer error="insufficient_scope", scope="foil:use"'
RESULT = {"jsonrpc": "2.0", "id": 1, "result": {"content": []}}
TOOL_ERROR = {"jsonrpc": "2.0", "id": 1, "result": {"isError": True, "content": []}}
ERROR = {"jsonrpc": "2.0", "id": 1, "error": {"code": -32020, "message": "no"}}


def answer(status: int, body: object = None, challenge: str | None = None) -> Answer:
    headers = {"content-type": "application/json"}
    if challenge is not None:
        headers["www-authenticate"] = challenge
    content = b"" if body is None else json.dumps(body).encode()
    return read_answer(httpx2.Response(status, headers=headers, content=content), challenge=read_challenges)


def case(name: str) -> Case:
    return next(each for each in ELSEWHERE if each.id == name)


def found(
    name: str, seen: Answer | None, *, revision: str = "2026-07-28", token: str = ""
) -> tuple[str, ...]:
    return faults(case(name), seen, "closed", revision=revision, token=token)


@pytest.mark.parametrize(
    ("seen", "through"),
    [
        (answer(200, RESULT), True),
        (answer(200, TOOL_ERROR), False),
        (answer(200, ERROR), False),
        (answer(200, {"result": {}, "error": {"code": 1}}), False),
        (answer(200), False),
        (answer(202), False),
        (answer(400, RESULT), False),
        (None, False),
    ],
)
def test_a_request_went_through_where_its_result_came_back(seen, through):
    assert went_through(seen) is through


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("dates.no-end", answer(401, None, INVALID)),
        ("credentials.none", answer(401, None, "Bearer")),
        ("credentials.good-bad", answer(400)),
        ("credentials.good-bad", answer(401)),
        ("credentials.lower-case", answer(200, RESULT)),
        ("scopes.none", answer(403, None, SCOPES)),
        ("http.host", answer(421)),
        ("http.jsonp", answer(415)),
        ("http.jsonp", answer(200, ERROR)),
        ("http.jsonp", None),
        ("http.deep", answer(200, RESULT)),
        ("http.deep", answer(400)),
        ("arguments.unknown", answer(200, TOOL_ERROR)),
        ("arguments.unknown", answer(400, ERROR)),
        ("protocol.name", answer(400, ERROR)),
    ],
)
def test_what_the_standards_want_is_right(name, seen):
    assert found(name, seen) == ()


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("dates.no-end", answer(200, RESULT)),
        ("dates.no-end", answer(200, ERROR)),
        ("dates.no-end", answer(403)),
        ("dates.no-end", answer(500)),
        ("dates.no-end", answer(503)),
        ("dates.no-end", None),
        ("credentials.lower-case", answer(401, None, INVALID)),
        ("scopes.none", answer(401, None, INVALID)),
        ("scopes.none", answer(200, TOOL_ERROR)),
        ("scopes.none", answer(403)),
        ("scopes.none", answer(403, None, 'Bearer error="insufficient_scope"')),
        ("http.host", answer(200, RESULT)),
        ("http.host", answer(500)),
        ("http.host", answer(204)),
        ("http.deep", answer(500)),
        ("http.deep", None),
        ("arguments.unknown", answer(200, RESULT)),
        ("protocol.name", answer(400)),
        ("protocol.name", answer(404, ERROR)),
        ("protocol.name", answer(200, ERROR)),
    ],
)
def test_what_they_do_not_want_is_wrong(name, seen):
    assert found(name, seen) != ()


def test_codes_of_the_newer_revision_are_not_asked_of_the_older():
    assert found("protocol.unknown-version", answer(400), revision="2025-11-25") == ()
    assert found("protocol.unknown-version", answer(400), revision="2026-07-28") != ()


def test_a_right_refusal_that_repeats_the_token_is_wrong():
    token = "eyJ" + "hbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"
    assert found("http.jsonp", answer(415, {"said": token}), token=token) == ("the answer repeats the token",)
    assert found("http.jsonp", answer(415, {"said": "no"}), token=token) == ()


@pytest.mark.parametrize("one", CASES, ids=lambda one: one.id)
def test_a_case_is_asked_of_others_only_in_revisions_that_it_has(one):
    assert set(one.elsewhere) <= {"2026-07-28", "2025-11-25"}
    assert not one.elsewhere or set(one.elsewhere) & set(one.revisions)


def test_no_case_is_right_whatever_is_answered():
    """Each can turn red: there is an answer that it does not bear."""
    for one in ELSEWHERE:
        seen = [answer(200, RESULT), answer(500), None]
        assert any(faults(one, each, "closed", revision=one.elsewhere[0], token="") for each in seen), one.id
