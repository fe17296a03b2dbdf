"""How a refusal looks, and what it leaves in the audit."""

GOOD = {"name": "add", "arguments": {"a": 1, "b": 2}}


def refused(answer, status, code, reason, *, request_id=None):
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["jsonrpc"] == "2.0"
    assert body["id"] == request_id
    assert body["error"]["code"] == code
    assert body["error"]["data"]["reason"] == reason
    assert body["error"]["data"]["call"] == answer.headers["launchworthy-call"]
    assert answer.headers["cache-control"] == "no-store"


def reason_in_audit(house, answer):
    [record] = house.story(answer)
    return record["type"], record["reason"]
