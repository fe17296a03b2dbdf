"""Checkpoints reach a place elsewhere; a slow or dead one stops no record, and the newest always counts."""

import json
import ssl
import threading

import pytest
from audit_world import Authority, Clock, attempt, bound_stream, outcome

from launchworthy.audit.anchor_sinks import FileAnchor, PostedAnchor, StdoutAnchor
from launchworthy.audit.anchored import NAME, Anchored
from launchworthy.audit.anchors import read_anchors
from launchworthy.audit.sinks.posted import poster
from launchworthy.audit.verification import State, verify_paths
from launchworthy.testing.world import free_port

AUTHORITY = Authority()


class Place:
    """Takes lines, unless it is closed; says who asked."""

    def __init__(self):
        self.lines = []
        self.open = threading.Event()
        self.open.set()
        self.asked = threading.Event()

    def __call__(self, line):
        self.asked.set()
        if not self.open.is_set():
            raise OSError("closed")
        self.lines.append(line)


def written(directory, anchor):
    """A whole life of a stream, with checkpoints that went to this anchor."""
    stream = bound_stream(directory, AUTHORITY.issue(), clock=Clock(), anchor=anchor, checkpoint_every=5)
    for number in range(8):
        stream.record(attempt(str(number)))
        stream.record(outcome(str(number)))
    stream.close()
    return stream


def test_a_file_elsewhere_has_every_checkpoint_and_shows_what_was_cut_off(tmp_path):
    kept = []
    anchor = FileAnchor(tmp_path / "anchor.jsonl", kept=kept.append)
    stream = written(tmp_path / "audit", anchor)
    anchor.close()
    notes = read_anchors((tmp_path / "anchor.jsonl").read_text().splitlines())
    assert list(notes) == kept
    size = len(stream.path.read_bytes().splitlines())
    assert notes[-1].splitlines()[1] == str(size)
    assert (tmp_path / "anchor.jsonl").stat().st_mode & 0o777 == 0o600

    def state():
        return verify_paths(
            [stream.path], require_sealed=False, pinned_keys=[stream.verifier_key], anchors=notes
        ).state

    assert state() is State.INTACT_SEALED
    lines = stream.path.read_bytes().splitlines(keepends=True)
    stream.path.write_bytes(b"".join(lines[:-4]))
    assert state() is State.TAMPERED


def test_an_anchor_file_is_appended_to_by_the_next_process(tmp_path):
    for _ in range(2):
        anchor = FileAnchor(tmp_path / "anchor.jsonl", kept=lambda _: None)
        anchor("note\n")
        anchor.close()
        anchor.close()
    assert len((tmp_path / "anchor.jsonl").read_text().splitlines()) == 2


def test_a_link_is_no_anchor_file(tmp_path):
    (tmp_path / "real").touch()
    (tmp_path / "link").symlink_to("real")
    with pytest.raises(OSError, match="symbolic links"):
        FileAnchor(tmp_path / "link", kept=lambda _: None)


def test_an_anchor_that_is_closed_is_counted_and_stops_no_record(tmp_path):
    anchor = FileAnchor(tmp_path / "anchor.jsonl", kept=lambda _: None)
    anchor.close()
    stream = written(tmp_path / "audit", anchor)
    assert stream.anchor_failures > 0
    assert len(stream.path.read_bytes().splitlines()) > 18


def test_stdout_has_each_as_a_line_of_json(tmp_path, capsys):
    anchor = StdoutAnchor()
    written(tmp_path / "audit", anchor)
    anchor.close()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 3
    assert all(json.loads(line)["event"] == "audit.checkpoint" for line in lines)


def test_what_is_posted_is_the_newest_of_each_stream_and_nothing_queues_up(tmp_path):
    place, kept = Place(), []
    place.open.clear()
    anchor = PostedAnchor(place, kept=kept.append, seconds=5)
    stream = written(tmp_path / "audit", anchor)
    assert place.asked.wait(10)
    assert place.lines == []
    place.open.set()
    anchor.close()
    [note] = read_anchors(place.lines)
    assert note.splitlines()[1] == str(len(stream.path.read_bytes().splitlines()))
    assert kept == [note]
    assert anchor.failures >= 1


def test_the_end_does_not_wait_for_ever(tmp_path):
    never = threading.Event()
    anchor = PostedAnchor(lambda _: never.wait(60) and None, kept=lambda _: None, seconds=0.05)
    written(tmp_path / "audit", anchor)
    anchor.close()
    never.set()


def test_a_post_counts_only_where_the_answer_is_a_success():
    port = free_port()
    with pytest.raises(OSError, match="ConnectError"):
        poster(f"http://127.0.0.1:{port}", tls=ssl.create_default_context())("line")


def test_what_was_taken_is_remembered_for_the_next_start(tmp_path):
    (tmp_path / "audit").mkdir()
    anchored = Anchored(tmp_path / "audit")
    stream = written(tmp_path / "audit", anchored.note)
    size = len(stream.path.read_bytes().splitlines())
    assert anchored.sizes == {stream.stream_id: size}
    anchored.save(present=frozenset({stream.stream_id}))
    assert Anchored(tmp_path / "audit").sizes == {stream.stream_id: size}
    anchored.save(present=frozenset())
    assert Anchored(tmp_path / "audit").sizes == {}
    anchored.note("no checkpoint")


@pytest.mark.parametrize("content", ["", "[]", "{", '{"a": -1, "b": true, "c": "1"}'])
def test_what_cannot_be_read_says_nothing(tmp_path, content):
    (tmp_path / NAME).write_text(content)
    assert Anchored(tmp_path).sizes == {}
