"""No secret gets into any sink, whatever goes wrong: stdout, stderr, audit, or what others are told."""

import json

import pytest
from attacked_orders import attacked

ARGUMENT = "canary-argument-4d1f0b7e91"
VARIABLE = "canary-variable-77aa01c3d2"
HEADER = "canary-header-90fe55ab12"
BODY = "canary-body-31bb62c8f0"
EVERY = (ARGUMENT, VARIABLE, HEADER, BODY, "text-of-a-failure")


@pytest.fixture(scope="module")
def orders(tmp_path_factory):
    with attacked(tmp_path_factory.mktemp("canaries"), ORDERS_CANARY=VARIABLE) as standing:
        yield standing


def sent(orders, *, token, body=None, line="POST /mcp HTTP/1.1", fields=(), **arguments):
    content = orders.body("fail", **arguments) if body is None else body
    head = orders.head(("Content-Length", len(content)), *fields, token=token, tool="fail", line=line)
    return orders.send(head + content)


def test_a10_no_canary_appears_in_any_sink_after_every_kind_of_error(orders):
    good = orders.token()
    bad = good[:-8] + "AAAAAAAA"
    known = {"how": "error", "note": ARGUMENT}
    answers = [
        sent(orders, token=good, **known),
        sent(orders, token=good, how="tool error", note=ARGUMENT),
        sent(orders, token=good, how=ARGUMENT, note=17),
        sent(orders, token=good, note=ARGUMENT, **{BODY: BODY}),
        sent(orders, token=bad, **known),
        sent(orders, token=None, fields=(("Authorization", f"Basic {HEADER}"),), **known),
        sent(orders, token=good, fields=(("Authorization", f"Bearer {HEADER}"),), **known),
        sent(orders, token=good, fields=(("X-Api-Key", HEADER), ("Cookie", f"session={HEADER}")), **known),
        sent(
            orders, token=good, fields=(("X-Forwarded-For", HEADER), ("Forwarded", f"for={HEADER}")), **known
        ),
        sent(orders, token=good, line=f"POST /mcp?access_token={HEADER} HTTP/1.1", **known),
        sent(orders, token=good, line=f"POST /{HEADER} HTTP/1.1", **known),
        sent(orders, token=good, body=f'{{"jsonrpc": "2.0", "{BODY}": '.encode()),
        sent(orders, token=good, body=json.dumps([{BODY: BODY}]).encode()),
        sent(
            orders,
            token=good,
            body=json.dumps({"jsonrpc": "2.0", "id": BODY, "method": "tools/call"}).encode(),
        ),
        sent(orders, token=good, fields=(("Mcp-Param-Note", HEADER),), **known),
    ]
    statuses = {status for status, _, _ in answers}
    assert {200, 400, 401, 404} <= statuses
    outcomes = [record["data"].get("outcome") for record in orders.records()]
    assert {"error", "tool_error"} <= set(outcomes)
    sinks = {
        "stdout": orders.server.stdout,
        "stderr": orders.server.stderr,
        "audit": orders.audited(),
        "answers": "".join(body.decode() for _, _, body in answers),
    }
    assert "about to fail" in sinks["stderr"]
    for name, text in sinks.items():
        for canary in EVERY:
            if (name, canary) == ("answers", BODY):
                continue  # a client is told the id and the names that it sent itself
            assert canary not in text, f"{canary} is in {name}"
        for token in (good, bad):
            assert token not in text
            assert token.rpartition(".")[2] not in text
