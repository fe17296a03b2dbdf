"""Who writes evidence: what a kernel says of a container, and a run on a clean machine."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from launchworthy.promotion.evidence.clean_run import CleanRun, refuse_author
from launchworthy.promotion.evidence.container import read_container
from launchworthy.promotion.evidence.entry import NotOurs, read_entry
from launchworthy.promotion.evidence.handover import environment_of_a_stranger
from launchworthy.vocabulary import ProblemError

STATUS = """\
Name:	python
Umask:	0022
Uid:	{uid}	{uid}	{uid}	{uid}
Gid:	65532	65532	65532	65532
CapInh:	0000000000000000
CapPrm:	{caps}
CapEff:	{caps}
CapBnd:	{caps}
CapAmb:	0000000000000000
NoNewPrivs:	{privileges}
Seccomp:	{seccomp}
"""
CONFINED = {"uid": 65532, "caps": "0000000000000000", "privileges": 1, "seccomp": 2}
ROOT = {"uid": 0, "caps": "000001ffffffffff", "privileges": 0, "seccomp": 0}


def kernel(root: Path, *processes, limit="536870912", version=2) -> Path:
    """A tree in which a kernel says this of some processes."""
    for pid, fields in enumerate(processes, start=1):
        folder = root / "proc" / str(pid)
        folder.mkdir(parents=True)
        (folder / "status").write_text(STATUS.format(**fields))
    (root / "proc" / "99").mkdir()  # it has ended meanwhile
    (root / "proc" / "meminfo").write_text("MemTotal: 1 kB\n")
    name = "memory.max" if version == 2 else "memory/memory.limit_in_bytes"
    file = root / "sys/fs/cgroup" / name
    file.parent.mkdir(parents=True)
    file.write_text(limit + "\n")
    return root


def said(root):
    return read_container(root, server="orders", environment="production", now=7)


def test_every_process_of_the_container_is_asked(tmp_path):
    found = said(kernel(tmp_path, ROOT, CONFINED))
    assert [process.pid for process in found.processes] == [1, 2]
    assert found.memory_limit == 536870912
    about_first = [each for each in found.mistakes() if each.startswith("process 1 ")]
    assert len(about_first) == 5
    assert not [each for each in found.mistakes() if each.startswith("process 2 ")]


def test_a_folder_that_can_be_written_is_no_read_only_root(tmp_path):
    assert not said(kernel(tmp_path, CONFINED)).read_only_root


@pytest.mark.parametrize(("limit", "version"), [("max", 2), (str(2**63 - 4096), 1)])
def test_no_limit_is_told_in_either_version(tmp_path, limit, version):
    assert said(kernel(tmp_path, CONFINED, limit=limit, version=version)).memory_limit is None


def test_without_a_kernel_nothing_is_said(tmp_path):
    with pytest.raises(OSError, match="proc"):
        said(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says it")
def test_this_kernel_says_it_of_this_process():
    found = next(each for each in said(Path("/")).processes if each.pid == os.getpid())
    assert found.uids[0] == os.getuid()


def test_a_stranger_has_none_of_our_caches(tmp_path):
    ours = {
        "PATH": "/usr/bin", "HOME": "/home/me", "UV_CACHE_DIR": "/home/me/.cache/uv", "VIRTUAL_ENV": "/v",
        "PIP_CACHE_DIR": "/c", "XDG_CACHE_HOME": "/x", "PYTHONPATH": "/src", "UV_FIND_LINKS": "/wheels",
        "UV_PYTHON": "/v/bin/python", "UV_INDEX_URL": "https://index.acme.example/simple", "SECRET": "s",
        "HTTPS_PROXY": "http://proxy.acme.example", "SSL_CERT_FILE": "/ca.pem", "GIT_DIR": "/g",
    }  # fmt: skip
    theirs = environment_of_a_stranger(ours, tmp_path)
    passed_on = {name for name, value in theirs.items() if ours.get(name) == value}
    assert passed_on == {"PATH", "UV_INDEX_URL", "HTTPS_PROXY", "SSL_CERT_FILE"}
    assert all(value.startswith(str(tmp_path)) for name, value in theirs.items() if "CACHE" in name)
    assert theirs["HOME"] == str(tmp_path)
    assert set(theirs).isdisjoint(
        {"VIRTUAL_ENV", "PYTHONPATH", "UV_FIND_LINKS", "UV_PYTHON", "SECRET", "GIT_DIR"}
    )


def repository(root: Path) -> Path:
    root.mkdir()
    (root / "README.md").write_text("nothing to install\n")
    subprocess.run(["git", "-C", str(root), "init", "-q"], check=True, capture_output=True)
    return commit(root)


def commit(root: Path) -> Path:
    who = ["-c", "user.name=a", "-c", "user.email=author@acme.example", "-c", "commit.gpgsign=false"]
    for command in (["add", "-A"], [*who, "commit", "-q", "-m", "all"]):
        subprocess.run(["git", "-C", str(root), *command], check=True, capture_output=True)
    return root


def run_of(tmp_path, root):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return CleanRun(root=root, scratch=scratch, environ=os.environ, clock=time.time, tell=lambda _: None)


def test_a_run_ends_with_the_step_that_fails(tmp_path):
    run = run_of(tmp_path, repository(tmp_path / "project"))
    done = run.play(server="orders", operator="sam@acme.example")
    assert [(step.name, step.holds) for step in done.steps] == [("clone", True), ("install", False)]
    assert list(done.mistakes())


def test_what_is_not_committed_is_not_handed_over(tmp_path):
    root = repository(tmp_path / "project")
    (root / "uv.lock").write_text("version = 1\n")
    run_of(tmp_path, root).play(server="orders", operator="sam@acme.example")
    assert not (tmp_path / "scratch" / "clone" / "uv.lock").exists()


def test_a_wheel_is_taken_along_from_one_folder_into_the_same(tmp_path):
    good, bad = ".launchworthy/wheels/good.whl", ".launchworthy/wheels/../../../bad.whl"
    root = repository(tmp_path / "project")
    (root / good).parent.mkdir(parents=True)
    for path in (good, bad):
        (root / path).write_bytes(b"any")
    package = '[[package]]\nsource = {{ path = "{}" }}\nwheels = [{{ hash = "sha256:00" }}]\n'
    (root / "uv.lock").write_text("".join(package.format(path) for path in (good, bad)))
    commit(root)
    said = run_of(tmp_path, root).play(server="orders", operator="sam@acme.example")
    assert [each.partition(" ")[0] for each in said.lent] == ["good.whl"]
    assert (tmp_path / "scratch" / "clone" / good).is_file()
    assert not (tmp_path / "scratch" / "bad.whl").exists()


def test_what_a_step_says_moves_no_cursor(tmp_path):
    git = tmp_path / "bin" / "git"
    git.parent.mkdir()
    says = "printf 'no \\033]0;x\\007\\033[31mway\\033[0m' >&2; exit 3"
    git.write_text(f'#!/bin/sh\n[ "$1" = clone ] && {{ {says}; }}\nexec {shutil.which("git")} "$@"\n')
    git.chmod(0o700)
    run = run_of(tmp_path, repository(tmp_path / "project"))
    run.environ = {**os.environ, "PATH": f"{git.parent}:{os.environ['PATH']}"}
    [step] = run.play(server="orders", operator="sam@acme.example").steps
    assert step.says == r"exit 3: no \u{1b}]0;x\u{7}way"


def test_nobody_hands_their_own_work_over_to_themselves(tmp_path):
    root = repository(tmp_path / "project")
    refuse_author(root, os.environ, "HEAD", "sam@acme.example")
    with pytest.raises(ProblemError) as refused:
        run_of(tmp_path, root).play(server="orders", operator="Author@acme.example")
    assert refused.value.problems[0].reason == "handover-of-own-work"
    assert not (tmp_path / "scratch" / "clone").exists()


@pytest.mark.parametrize(
    "content", [b"[" * 100_000, b'{"a":' * 100_000, b'{"name": "\xff"}', b"[]", b"9" * 5000]
)
def test_a_registrys_answer_that_is_no_object_is_no_entry(content: bytes) -> None:
    ours = {"name": "orders", "id": "7", "url": "https://orders.acme.example/mcp"}
    asked = {"name": "orders", "resource": "https://orders.acme.example/mcp"}
    assert read_entry(json.dumps(ours).encode(), **asked) == "7"
    with pytest.raises(NotOurs, match="is no JSON object"):
        read_entry(content, **asked)
