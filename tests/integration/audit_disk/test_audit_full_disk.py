"""A disk that is really full, a limit that is really reached, a directory that really cannot be written."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHILD = Path(__file__).with_name("audit_disk_child.py")


def run(*command):
    done = subprocess.run([*command], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def in_a_namespace(directory, mount, kind):
    """Run the child where `mount` has been done, which nobody else sees."""
    script = f'{mount} && exec "{sys.executable}" "{CHILD}" {kind} "{directory}"'
    return run("unshare", "--user", "--map-root-user", "--mount", "/bin/sh", "-c", script)


@pytest.fixture(scope="module")
def namespaces(tmp_path_factory):
    """Whether this machine lets us mount something for ourselves."""
    place = tmp_path_factory.mktemp("mount")
    command = ["unshare", "--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs", str(place)]
    if (
        shutil.which("unshare") is None
        or subprocess.run(command, capture_output=True, check=False).returncode
    ):
        pytest.skip(
            "no file systems of our own on this machine; the limit on file size is tried all the same"
        )


def test_a_limit_on_the_size_of_files_is_a_full_disk(tmp_path):
    found = run(sys.executable, str(CHILD), "limit", str(tmp_path))
    assert found["written"] > 100
    assert "File too large" in found["refused"]
    assert found["lost"] == []
    assert (found["whole"], found["ready"], found["recovered"], found["after"]) == (True, False, True, True)
    assert found["state"] == "intact-sealed"


@pytest.mark.usefixtures("namespaces")
def test_a_full_file_system_keeps_room_for_the_outcomes_of_running_calls(tmp_path):
    found = in_a_namespace(tmp_path, f'mount -t tmpfs -o size=3m,mode=0700 tmpfs "{tmp_path}"', "small")
    assert found["written"] > 100
    assert "No space left" in found["refused"]
    assert found["ended"] == 50
    assert found["lost"] == []
    assert (found["whole"], found["ready"], found["recovered"], found["after"]) == (True, False, True, True)
    assert found["state"] == "intact-sealed"


@pytest.mark.usefixtures("namespaces")
def test_a_read_only_directory_makes_no_stream(tmp_path):
    mount = f'mount -t tmpfs -o ro,mode=0700 tmpfs "{tmp_path}"'
    assert "Read-only file system" in in_a_namespace(tmp_path, mount, "readonly")["refused"]
    mount = f'mount -t tmpfs -o mode=0700 tmpfs "{tmp_path}" && mkdir -m 700 "{tmp_path}/audit"'
    mount += f' && mount -o remount,ro "{tmp_path}"'
    assert "Read-only file system" in in_a_namespace(tmp_path, mount, "readonly")["refused"]
