"""What the project's code answers is a stranger's word, and nothing of the child outlives the question."""

import json
import os
import sys
import time
from pathlib import Path

import pytest

from launchworthy.promotion import child
from launchworthy.promotion.child import Asking
from launchworthy.vocabulary import ProblemError

GOOD = {
    "version": 1,
    "registered": [{"kind": "tool", "name": "a", "where": "x.py:1"}],
    "targets": [{"kind": "tool", "name": "a", "published": {"name": "a"}}],
    "weak": [],
    "schema": {},
    "problems": [],
}


@pytest.fixture
def ask(tmp_path):
    """Ask an interpreter that is a program of ours, whatever it is called with."""

    def asking(body):
        script = tmp_path / "python"
        script.write_text(f"#!{sys.executable}\nimport json, os, sys, time\n{body}\n")
        script.chmod(0o700)
        with Asking(script, "orders", tmp_path) as started:
            return started.answer()

    return asking


def refusal(ask, body):
    with pytest.raises(ProblemError) as raised:
        ask(body)
    [problem] = raised.value.problems
    assert problem.reason == "code-not-described"
    return problem.what


def test_a_good_answer_is_taken(ask):
    answer = ask(f"print({json.dumps(GOOD)!r})")
    assert (answer.registered[0].name, answer.targets[0].published) == ("a", {"name": "a"})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"version": 2}, "something else"),
        ({"version": "1"}, "something else"),
        ({"more": 1}, "something else"),
        ({"registered": [{"kind": "thing", "name": "a", "where": ""}]}, "something else"),
        ({"targets": [{"kind": "tool", "name": "a"}]}, "something else"),
        ({"weak": "no"}, "something else"),
        ({"problems": [{"what": 1}]}, "something else"),
    ],
)
def test_an_answer_of_another_shape_is_refused(ask, change, says):
    assert says in refusal(ask, f"print({json.dumps({**GOOD, **change})!r})")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("", "prints something"),
        ("print('hello')", "something else"),
        (f"print('hello'); print({json.dumps(GOOD)!r})", "prints something"),
        ("sys.exit(0)", "prints something"),
        ("sys.exit('no module named x')", "cannot be imported: no module named x"),
        (f"print({json.dumps(GOOD)!r}); sys.stdout.flush(); sys.exit(3)", "cannot be imported"),
        ("os.kill(os.getpid(), 9)", "cannot be imported: nothing on stderr"),
        ("os.write(1, b'\\xff' * 9 + b'\\n')", "something else"),
    ],
)
def test_whatever_else_it_does_is_refused(ask, body, says):
    assert says in refusal(ask, body)


def test_more_than_is_allowed_is_refused_while_it_prints(ask, monkeypatch):
    monkeypatch.setattr(child, "_MAX_BYTES", 1000)
    began = time.monotonic()
    assert "prints too much" in refusal(ask, "while True: os.write(1, b'x' * 1000)")
    assert "prints too much" in refusal(ask, "while True: os.write(2, b'x' * 1000)")
    assert time.monotonic() - began < 10


def test_one_that_hangs_is_ended_with_everything_it_started(ask, monkeypatch, tmp_path):
    monkeypatch.setattr(child, "_SECONDS", 1.0)
    note = tmp_path / "pid"
    body = f"child = os.fork() or time.sleep(60)\nopen({str(note)!r}, 'w').write(str(child))\ntime.sleep(60)"
    assert "did not answer within" in refusal(ask, body)
    assert is_gone(int(note.read_text()))


def test_a_grandchild_that_keeps_the_pipe_open_cannot_make_the_gate_wait(ask, monkeypatch):
    monkeypatch.setattr(child, "_SECONDS", 1.0)
    body = f"print({json.dumps(GOOD)!r}, flush=True)\nif os.fork() == 0: time.sleep(60)"
    assert "did not answer within" in refusal(ask, body)


def test_an_interpreter_is_found_from_where_its_name_was_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    script = Path("python")
    script.write_text(f"#!{sys.executable}\nprint({json.dumps(GOOD)!r})\n")
    script.chmod(0o700)
    with Asking(Path("python"), "orders", tmp_path) as started:
        assert started.answer().version == 1


def test_an_interpreter_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ProblemError, match="cannot be asked"):
        Asking(tmp_path / "nothing", "orders", tmp_path)


def test_it_gets_none_of_our_variables_and_a_folder_of_its_own(ask, monkeypatch):
    monkeypatch.setenv("CANARY", "canary-5f1c")
    told = "[f'{name}={value}' for name, value in os.environ.items()] + [os.getcwd(), *sys.argv[1:]]"
    answer = ask(f"good = {GOOD!r}\nprint(json.dumps({{**good, 'weak': {told}}}))")
    said = "\n".join(answer.weak)
    assert "canary" not in said
    assert "-I\n-m\nlaunchworthy.server.describing\norders" in said
    assert "HOME=" in said


def is_gone(pid):
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        stat = Path(f"/proc/{pid}/stat")
        if stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False
