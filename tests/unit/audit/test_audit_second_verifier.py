"""A verifier that was written from the format page alone says the same as ours, and the page's words hold."""

import asyncio
import base64
import json
import re
import subprocess
from pathlib import Path

import pytest
from audit_world import Authority, Clock, attempt, bound_stream, outcome
from second_verifier import verify, verify_directory

from launchworthy.audit.events import EVENT_TYPES
from launchworthy.audit.stream import AuditStream
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


def rotated(directory):
    """Three files of one process, and notes of all of them."""

    async def live():
        notes, workload = [], AUTHORITY.issue()
        stream = AuditStream.open(
            directory, source=None, clock=Clock(), rotate_at=1, checkpoint_every=7, anchor=notes.append
        )
        await stream.bind_with(workload, workload.identity)
        for number in range(3):
            stream.record(attempt(str(number)))
            stream.record(outcome(str(number)), critical=True)
            if number < 2:
                await stream.rotate()
        stream.close()
        return notes

    return asyncio.run(live())


def cut_the_first(files):
    first = min(files)
    files[first] = files[first][: files[first].rindex(b"\n", 0, -1) + 1]


def take_the_second(files):
    del files[sorted(files)[1]]


def take_the_last(files):
    del files[max(files)]


def forge_the_second(files):
    second = sorted(files)[1]
    files[second] = files[second].replace(b"00u4f2c", b"00u4f2d", 1)


@pytest.mark.parametrize("harm", [None, cut_the_first, take_the_second, take_the_last, forge_the_second])
@pytest.mark.parametrize("anchored", [False, True])
def test_it_says_the_same_of_streams_that_follow_each_other(tmp_path, harm, anchored):
    notes = rotated(tmp_path / "audit")
    files = {path.name: path.read_bytes() for path in (tmp_path / "audit").glob("*.jsonl")}
    assert len(files) == 3
    if harm is not None:
        harm(files)
    for path in (tmp_path / "audit").glob("*.jsonl"):
        if path.name in files:
            path.write_bytes(files[path.name])
        else:
            path.unlink()
    anchors = notes if anchored and harm is not take_the_last else ()
    trust = AUTHORITY.write_bundle(tmp_path / "trust")
    ours = verify_paths([tmp_path / "audit"], require_sealed=False, trust_directory=trust, anchors=anchors)
    assert verify_directory(files, roots=ROOTS, anchors=anchors) == ours.state.value
    harmless = harm in (None, take_the_last)
    assert (ours.state is State.INTACT_SEALED) is harmless
