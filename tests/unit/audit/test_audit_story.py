"""The story of a call: who asked for what, was it allowed and why, how it ended; and lists."""

import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from audit_world import SOURCE, Authority, Clock, attempt, outcome

from launchworthy.audit.events import (
    EVENT_TYPES,
    AuthnDenied,
    ConfigLoaded,
    RequestServed,
    ServerReady,
    ServerStarting,
    ToolDenied,
)
from launchworthy.audit.ocsf import ocsf_event
from launchworthy.audit.reading import LineError, Record, parse_record, read_records
from launchworthy.audit.story import Filter, Verdict, call_story, rows
from launchworthy.audit.story_text import render_call, render_record, render_rows
from launchworthy.audit.stream import AuditStream
from launchworthy.audit.verification import verify_paths
from launchworthy.cli.pages.event_examples import event_examples
from launchworthy.vocabulary import ProblemError, Reason

AUTHORITY = Authority()
CALL = "4T7K-9QX2-M0DV"


@pytest.fixture
def stream(tmp_path):
    clock = Clock(step=10_000_000)
    stream = AuditStream.open(tmp_path / "audit", source=SOURCE, clock=clock)
    stream.record(ServerStarting(environment="production", version="0.1.0", instance="orders-7d4-k2x"))
    stream.record(
        ConfigLoaded(
            owner="@acme/orders", on_call="https://on-call.acme.example/orders", runbook="RUNBOOK.md"
        )
    )
    stream.bind(AUTHORITY.issue().sign(stream.binding_payload()), SOURCE)
    stream.record(ServerReady(resource="https://orders.acme.example/mcp"))
    stream.record(attempt(CALL, token_id="kid:9d02aabb"), subject="order/1042")
    clock.forward(0.211)
    stream.record(outcome(CALL), critical=True)
    stream.record(
        ToolDenied(
            call="DDDD-DDDD-DDDD",
            target="refund_order",
            reason=Reason.TOOL_SCOPE,
            status=403,
            subject="00u9",
            client="shop",
            scopes=("orders:read",),
            missing_scopes=("orders:refund",),
            detail="the token lacks a scope",
        )
    )
    stream.record(
        AuthnDenied(
            call="AAAA-AAAA-AAAA", reason=Reason.TOKEN_AUDIENCE, status=401, sources=("192.0.2.0/24",)
        )
    )
    stream.record(AuthnDenied(reason=Reason.TOKEN_AUDIENCE, status=401, count=40))
    stream.record(
        RequestServed(call="SSSS-SSSS-SSSS", method="tools/list", status=200, subject="00u9", milliseconds=2)
    )
    stream.record(attempt("LLLL-LLLL-LLLL", arguments={"a": {"hmac": "kid:abcdef"}}, durable=None))
    return stream


@pytest.fixture
def records(stream):
    with stream.path.open("rb") as file:
        return list(read_records(file))


def verdict_of(stream, tmp_path):
    trust = AUTHORITY.write_bundle(tmp_path / "trust")
    return verify_paths([stream.path], require_sealed=False, trust_directory=trust).streams[0]


def test_one_calls_whole_story_fits_on_a_page(stream, records, tmp_path):
    stream.close()
    page = render_call(call_story(records, CALL), verdict_of(stream, tmp_path))
    assert page == (
        "refund_order   allowed, done                                     2026-11-20 02:00:00.060 UTC\n"
        "\n"
        "who        subject 00u4f2c (person) through `support-agent` issuer https://login.acme.example\n"
        "with       a token 4 min old: orders:read orders:refund     jti hmac:9d02…\n"
        "asked      order_id = 1042, reason dropped (38 characters)\n"
        "decided    allow by manifest:refund_order                   policy 9c41…  manifests 1f07…\n"
        "answered   118 bytes in 0.221 s\n"
        "\n"
        "  +0.000  tool.attempt         on disk before the tool ran              orders-7d4-k2x  #5\n"
        "  +0.221  tool.outcome         ok                                                       #6\n"
        "\n"
        "intact and sealed up to #12, checkpoint 02:00:00\n"
        "owner @acme/orders · on call https://on-call.acme.example/orders · RUNBOOK.md\n"
    )


def test_a_denied_call_says_what_was_missing(records):
    page = render_call(call_story(records, "DDDD-DDDD-DDDD"), None)
    assert "refund_order   denied" in page
    assert "decided    deny, tool.scope, missing orders:refund: the token lacks a scope\n" in page
    assert "answered   status 403\n" in page
    assert "not verified: launchworthy audit verify\n" in page


def test_a_stranger_is_called_one(records):
    page = render_call(call_story(records, "AAAA-AAAA-AAAA"), None)
    assert "who        a stranger: no token that could be believed, from 192.0.2.0/24\n" in page


def test_a_call_without_an_outcome_says_so(records):
    story = call_story(records, "LLLL-LLLL-LLLL")
    page = render_call(story, None)
    assert (story.ended, story.row.ended) == (None, None)
    assert "allowed, outcome unknown" in page
    assert "asked      a hmac:abcd…\n" in page
    assert "written before the tool ran" in page


def test_what_is_not_sealed_yet_or_tampered_with_is_said_on_the_page(stream, records, tmp_path):
    story = call_story(records, CALL)
    assert "intact, not sealed yet\n" in render_call(story, verdict_of(stream, tmp_path))
    stream.path.write_bytes(stream.path.read_bytes().replace(b"00u4f2c", b"00u4f2d", 1))
    assert "tampered: record 5:" in render_call(story, verdict_of(stream, tmp_path))


def test_a_call_that_is_not_there_is_a_problem(records):
    with pytest.raises(ProblemError, match="no-such-call"):
        call_story(records, "XXXX-XXXX-XXXX")


def test_every_request_has_a_row(records):
    found = list(rows(records, Filter()))
    assert [
        (row.call[:1], row.verdict, row.why, row.ended, row.milliseconds, row.count) for row in found
    ] == [
        ("4", Verdict.ALLOWED, "manifest:refund_order", "ok", 221, 1),
        ("D", Verdict.DENIED, "tool.scope", None, None, 1),
        ("A", Verdict.DENIED, "token.audience", None, None, 1),
        ("", Verdict.DENIED, "token.audience", None, None, 40),
        ("S", Verdict.SERVED, "", None, 2, 1),
        ("L", Verdict.ALLOWED, "manifest:refund_order", None, None, 1),
    ]


@pytest.mark.parametrize(
    ("wanted", "calls"),
    [
        ({"principal": "00u4f2c"}, "4L"),
        ({"principal": "shop"}, "D"),
        ({"target": "refund_order"}, "4DL"),
        ({"target": "tools/list"}, "S"),
        ({"verdict": Verdict.DENIED}, "DA-"),
        ({"reason": "token"}, "A-"),
        ({"reason": "token.audience"}, "A-"),
        ({"reason": "tok"}, ""),
        ({"call": CALL}, "4"),
        ({"since": datetime(2026, 11, 20, 2, 0, 0, 300_000, UTC)}, "A-SL"),
        ({"until": datetime(2026, 11, 20, 2, 0, 0, 100_000, UTC)}, "4"),
        ({"verdict": Verdict.ALLOWED, "principal": "nobody"}, ""),
    ],
    ids=str,
)
def test_rows_are_filtered(records, wanted, calls):
    assert "".join(row.call[:1] or "-" for row in rows(records, Filter(**wanted))) == calls


def test_rows_are_printed_one_a_line(records):
    lines = list(render_rows(rows(records, Filter())))
    assert lines[0] == (
        "2026-11-20 02:00:00.060  refund_order          allowed, done                 "
        "00u4f2c through support-agent       0.221 s  4T7K-9QX2-M0DV"
    )
    assert "denied: token.audience (40 times)" in lines[3]
    assert len(lines) == 6


def test_an_outcome_belongs_to_the_last_attempt_of_its_call(records):
    again = [*records, *records]
    ended = [row.ended for row in rows(again, Filter(call=CALL))]
    assert ended == ["ok", "ok"]


def test_a_file_that_was_made_up_cannot_harm_the_terminal():
    evil = "\x1b[2J\u202e\n"
    record = Record(
        seq=1,
        stream="s",
        time="2026-11-20T02:00:00.000000Z",
        type="tool.attempt",
        source="x",
        subject=None,
        data={
            "call": "C",
            "target": evil,
            "subject": evil,
            "client": evil,
            "kind": evil,
            "actors": [evil],
            "scopes": [evil, 1, None],
            "arguments": {
                evil: {"clear": evil},
                "b": {"drop": evil},
                "c": 5,
                "d": {"hmac": evil},
                "e": {"clear": [evil]},
            },
            "token_age": "x",
            "policy_digest": evil,
            "rule": evil,
            "issuer": {"a": evil},
        },
    )
    page = render_call(call_story([record], "C"), None) + "".join(render_rows(rows([record], Filter())))
    assert all(line.isprintable() for line in page.splitlines())


def test_hostile_types_in_a_record_are_no_error():
    record = Record(
        seq=1,
        stream="s",
        time="2026-11-20T02:00:00.000000Z",
        type="tool.outcome",
        source="x",
        subject=None,
        data={"call": ["unhashable"], "milliseconds": "x", "outcome": {}},
    )
    assert list(rows([record], Filter())) == []


def test_a_line_that_is_no_record_is_refused():
    with pytest.raises(LineError):
        parse_record(b'{"a":1}')


EVIL = "\x1b[2J\u202e\n"
ODD = (EVIL, 1, -1, 1.5, True, [EVIL, 1, {}], {EVIL: {"clear": EVIL}})


@pytest.mark.parametrize("odd", ODD, ids=str)
@pytest.mark.parametrize("name", EVENT_TYPES)
def test_whatever_stands_in_whichever_field_of_a_record_is_shown_as_text(name, odd):
    good = event_examples()[name].model_dump(mode="json", exclude_defaults=True) | {"call": CALL}
    for field in {*good, "status", "outcome", "sources", "scopes", "rules", "detail"} - {"call"}:
        record = Record(1, "s" * 32, "2026-11-20T02:00:00.000000Z", name, "x", EVIL, {**good, field: odd})
        shown = [*render_rows(rows([record], Filter())), render_record(record)]
        with suppress(ProblemError):  # not every record begins the story of a call
            shown += render_call(call_story([record], CALL), None).splitlines()
        assert all(line.isprintable() for line in shown), (field, shown)
        assert json.dumps(ocsf_event(record))
