"""Strangers at full speed for a minute refuse no good call, and none of them is lost."""

import threading
import time

import httpx2
import pytest

SECONDS = 60


@pytest.mark.slow
def test_a4_a_flood_of_strangers_refuses_no_good_call(build, capsys):
    house = build()
    until = time.monotonic() + SECONDS
    sent = [0, 0, 0]

    def flood(number):
        with httpx2.Client(timeout=30, trust_env=False) as client:
            headers = {"content-type": "application/json", "accept": "*/*"}
            while time.monotonic() < until:
                assert client.post(house.resource, headers=headers).status_code == 401
                sent[number] += 1

    threads = [threading.Thread(target=flood, args=(number,)) for number in range(len(sent))]
    for thread in threads:
        thread.start()
    good = 0
    while time.monotonic() < until:
        answer = house.call("add", a=1, b=2)
        assert answer.status_code == 200
        assert answer.json()["result"]["structuredContent"] == {"result": 3}
        good += 1
    for thread in threads:
        thread.join()
    house.__exit__()
    size = sum(path.stat().st_size for path in house.audit_directory.glob("*.jsonl"))
    denied = [record for record in house.records() if record["type"] == "authn.denied"]
    counted = sum(record.get("count", 1) for record in denied)
    with capsys.disabled():
        told = f"{sum(sent)} strangers, {len(denied)} records of them, {good} good calls, {size >> 10} KiB"
        print(f"\n{told}")  # noqa: T201 - the report
    assert counted == sum(sent)
    assert len(denied) <= SECONDS * 51 + 60
    assert size < 64 * 1024 * 1024
