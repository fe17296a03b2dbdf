"""A verifier that was written from the format page alone says the same as ours, and the page's words hold."""

import base64
import json
import re
import subprocess
from pathlib import Path

import pytest
from audit_world import Authority, Clock, attempt, bound_stream, outcome
from second_verifier import verify

from launchworthy.audit.events import EVENT_TYPES
from launchworthy.audit.verification import State, verify_paths

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "audit-format.md").read_text()
AUTHORITY = Authority()
ROOTS = (AUTHORITY.certificate,)


@pytest.fixture
def stream(tmp_path):
    opened = bound_stream(tmp_path / "audit", AUTHORITY.issue(), clock=Clock(), checkpoint_every=7)
    for number in range(10):
        opened.record(attempt(str(number)), subject="order/1")
        opened.record(outcome(str(number)), critical=True)
    return opened


def test_it_believes_what_we_believe(stream):
    assert verify(stream.path.read_bytes(), roots=ROOTS) == ("intact-open", None)
    stream.close()
    content = stream.path.read_bytes()
    assert verify(content, roots=ROOTS) == ("intact-sealed", None)
    assert verify(content) == ("undecided", None)
    assert verify(content, pinned=[stream.verifier_key]) == ("intact-sealed", None)
    assert verify(content, roots=(Authority().certificate,)) == ("undecided", None)


def test_it_blames_the_record_that_we_blame(stream, tmp_path):
    stream.close()
    content = stream.path.read_bytes()
    trust = AUTHORITY.write_bundle(tmp_path / "trust")
    for at in range(0, len(content), 97):
        harmed = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        stream.path.write_bytes(harmed)
        [ours] = verify_paths([stream.path], require_sealed=False, trust_directory=trust).streams
        theirs = verify(harmed, roots=ROOTS)
        assert ours.state is State.TAMPERED
        assert theirs[0] == "tampered"
        assert ours.damage.record == theirs[1]


def test_the_page_names_every_record_type():
    families = {name.split(".")[0] for name in EVENT_TYPES}
    for family in families:
        assert re.search(rf"`{family}(\.[a-z_]+)?`", PAGE) or f"`{family}`" in PAGE, family
    for name in EVENT_TYPES:
        last = name.split(".")[1]
        assert re.search(rf"`[a-z]*\.{last}`", PAGE), name


def test_the_line_for_the_shell_on_the_page_works(stream):
    stream.close()
    [command] = re.findall(r"^sed -n 7p FILE.*sha256sum", PAGE, re.MULTILINE)
    out = subprocess.run(
        ["/bin/sh", "-c", command.replace("FILE", str(stream.path))],
        capture_output=True,
        text=True,
        check=True,
    )
    eighth = json.loads(stream.path.read_bytes().splitlines()[7])
    assert out.stdout.split()[0] == eighth["prev"]


def test_every_line_is_a_cloud_event(stream):
    stream.close()
    seen = set()
    for line in stream.path.read_bytes().splitlines():
        event = json.loads(line)
        assert event["specversion"] == "1.0"
        for required in ("id", "source", "type"):
            assert isinstance(event[required], str)
            assert event[required]
        assert all(re.fullmatch("[a-z0-9]+", attribute) for attribute in event)
        assert (event["source"], event["id"]) not in seen
        seen.add((event["source"], event["id"]))


def test_the_keys_of_the_page_are_those_of_the_stream(stream):
    import hashlib

    public = stream.public_key
    stream_id = hashlib.sha256(b"launchworthy-audit/1\n" + public).hexdigest()[:32]
    name = f"urn:launchworthy:stream:{stream_id}"
    key_id = hashlib.sha256(name.encode() + b"\n\x01" + public).hexdigest()[:8]
    assert stream.stream_id == stream_id
    encoded = base64.b64encode(b"\x01" + public).decode()
    assert stream.verifier_key == f"{name}+{key_id}+{encoded}"
    stream.close()
