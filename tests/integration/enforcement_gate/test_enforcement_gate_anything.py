"""Whatever comes behind a good token, the answer is one of the table's, and nothing of ours shows."""

import asyncio
import json
from typing import Any

from house import LEGACY, META, MODERN, House, headers_of
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from launchworthy.enforcement.answers import TABLE
from launchworthy.enforcement.request import REQUESTS
from launchworthy.vocabulary import Reason, WireWord

STATUSES = {row.status for row in TABLE.values()} | {200, 202, 431}
WORDS = set(WireWord)
METHODS = sorted({method for served in REQUESTS.values() for method in served} - {"subscriptions/listen"})
KEYS = [
    "name", "uri", "arguments", "_meta", "ref", "argument", "value", "type", "a", "b", "cursor",
    "notifications", "requestState", "context",
]  # fmt: skip
JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=8),
        st.sampled_from(["add", "greet", "shop://order/1", "ref/prompt", MODERN, LEGACY, "a", "b"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(
                st.sampled_from(KEYS),
                st.text(max_size=4),
            ),
            inner, max_size=4,
        ),
    ),
    max_leaves=10,
)  # fmt: skip


@st.composite
def bodies(draw: Any) -> tuple[bytes, str, str]:
    revision = draw(st.sampled_from([MODERN, LEGACY]))
    method = draw(st.one_of(st.sampled_from(METHODS), st.text(max_size=6)))
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=60)), method, revision
    params = draw(st.one_of(st.dictionaries(st.sampled_from(
        ["name", "uri", "arguments", "ref", "argument", "context", "cursor", "_meta", "requestState", "x"]
    ), JSON, max_size=4), JSON))  # fmt: skip
    if isinstance(params, dict) and revision == MODERN and draw(st.integers(0, 9)) > 0:
        params["_meta"] = META
    message = {"jsonrpc": "2.0", "id": draw(st.one_of(st.just(1), JSON)), "method": method, "params": params}
    for name in draw(st.lists(st.sampled_from(sorted(message)), max_size=1)):
        message[name] = draw(JSON)
    return json.dumps(message).encode("utf-8", "surrogatepass"), method, revision


async def answered(house: House, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    messages = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop() if messages else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/mcp", "raw_path": b"/mcp", "query_string": b"",
        "client": None,
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
    }  # fmt: skip
    await asyncio.wait_for(house.gate(scope, receive, send), 10)
    return sent[0]["status"], b"".join(one.get("body", b"") for one in sent)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bodies())
@example((b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":["x"]}}', "tools/call", LEGACY))
@example((b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":{},"arguments":[]}}', "x", LEGACY))
@example(
    (
        b'{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"\\ud800"}}',
        "resources/read",
        LEGACY,
    )
)
def test_every_answer_is_one_of_the_tables(house: House, case: tuple[bytes, str, str]) -> None:
    body, method, revision = case
    headers = headers_of(method if method.isascii() and method.isprintable() else "x", {}, revision)
    headers["host"] = f"127.0.0.1:{house.port}"
    headers["authorization"] = f"Bearer {house.token('shop:read', 'shop:write')}"
    status, answer = asyncio.run_coroutine_threadsafe(answered(house, body, headers), house.loop).result(15)
    assert status in STATUSES - {500}
    assert b"Traceback" not in answer
    if status == 202:
        assert answer == b""
        return
    told = json.loads(answer.rpartition(b"data: ")[2] if answer.startswith(b"event") else answer)
    assert ("result" in told) != ("error" in told)
    if "error" in told:
        assert told["error"]["data"]["reason"] in WORDS
        assert told["error"]["data"]["call"]
    if status != 200:
        assert "error" in told


def test_the_table_has_a_row_for_every_reason() -> None:
    assert set(TABLE) == set(Reason)
