"""Whose socket or file it is: owners, modes, links, and who listens."""

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from launchworthy.identity.cause import Cause, SourceError
from launchworthy.identity.source_checks import check_file, check_socket, socket_path

ME = os.geteuid()
STRANGER = 12345
as_root = pytest.mark.skipif(ME != 0, reason="only root can give files away")


@pytest.fixture
def place():
    """A directory that is ours and that others may enter, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


@pytest.fixture
def agent(place):
    """Something that listens on `agent.sock`."""
    path = place / "agent.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        yield path


def checked(path, uids=(ME,)):
    return check_socket(f"unix://{path}", uids, 1.0)


def refused(path, uids=(ME,)):
    with pytest.raises(SourceError) as caught:
        checked(path, uids)
    return caught.value.failure


def test_a_socket_of_ours_in_a_directory_of_ours_is_good(agent):
    found = checked(agent)
    assert (found.owner_uid, found.peer_uid) == (ME, ME)


def test_a_socket_that_everybody_may_connect_to_is_good(agent):
    agent.chmod(0o777)
    assert checked(agent).owner_uid == ME


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o757, 0o733])
def test_a_directory_that_others_can_write_is_refused(agent, mode):
    agent.parent.chmod(mode)
    failure = refused(agent)
    assert failure.cause is Cause.UNTRUSTED_SOURCE
    assert failure.detail == f"the directory `{agent.parent}` can be written by others"
    agent.parent.chmod(0o755)
    assert checked(agent).peer_uid == ME


def test_in_a_sticky_directory_nobody_else_can_replace_what_is_ours(agent):
    agent.parent.chmod(0o1777)
    assert checked(agent).owner_uid == ME


def test_a_directory_further_up_counts_as_well(place):
    open_directory, inner = place / "open", place / "open" / "inner"
    inner.mkdir(parents=True)
    inner.chmod(0o700)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(inner / "agent.sock"))
        listener.listen()
        open_directory.chmod(0o777)
        assert (
            refused(inner / "agent.sock").detail
            == f"the directory `{open_directory}` can be written by others"
        )
        open_directory.chmod(0o755)
        assert checked(inner / "agent.sock").owner_uid == ME


@as_root
@pytest.mark.parametrize("what", ["socket", "directory"])
def test_what_belongs_to_somebody_else_is_refused(agent, what):
    given_away = agent if what == "socket" else agent.parent
    os.chown(given_away, STRANGER, -1)
    failure = refused(agent)
    assert failure.cause is Cause.UNTRUSTED_SOURCE
    assert failure.detail == f"`{given_away}` belongs to uid {STRANGER}"
    assert checked(agent, (STRANGER,)).peer_uid == ME


@as_root
def test_a_listener_of_another_user_is_refused_even_on_a_socket_of_ours(place):
    path = place / "agent.sock"
    script = (
        "import os, socket, sys\n"
        "listener = socket.socket(socket.AF_UNIX); listener.bind(sys.argv[1])\n"
        f"os.setuid({STRANGER}); listener.listen(); print('listens', flush=True); sys.stdin.readline()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as stranger:
        try:
            assert stranger.stdout.readline() == "listens\n"
            failure = refused(path)
            assert failure.cause is Cause.UNTRUSTED_SOURCE
            assert failure.detail == f"what listens on `unix://{path}` runs as uid {STRANGER}"
            assert checked(path, (STRANGER,)).peer_uid == STRANGER
        finally:
            stranger.kill()


def test_a_link_is_followed_and_everything_on_its_way_is_checked(agent):
    hidden, shown = agent.parent / "hidden", agent.parent / "shown"
    hidden.mkdir(mode=0o755)
    (hidden / "up").symlink_to("..")
    shown.symlink_to(hidden / "up")
    assert checked(shown / "agent.sock").owner_uid == ME
    hidden.chmod(0o777)
    assert refused(shown / "agent.sock").detail == f"the directory `{hidden}` can be written by others"


@as_root
def test_a_link_that_a_stranger_made_is_refused(agent):
    agent.parent.chmod(0o1777)
    link = agent.parent / "link.sock"
    link.symlink_to(agent)
    assert checked(link).owner_uid == ME
    os.chown(link, STRANGER, -1, follow_symlinks=False)
    assert refused(link).detail == f"`{link}` belongs to uid {STRANGER}"


def test_links_in_a_circle_are_nothing(place):
    (place / "a").symlink_to("b")
    (place / "b").symlink_to("a")
    assert refused(place / "a").cause is Cause.NOTHING_LISTENS


@pytest.mark.parametrize("name", ["nothing", "file", "file/below", "directory"])
def test_where_nothing_listens_it_says_so(place, name):
    (place / "file").touch()
    (place / "directory").mkdir()
    failure = refused(place / name)
    assert failure.cause is Cause.NOTHING_LISTENS
    assert failure.detail.startswith(f"nothing listens on `unix://{place / name}`")


def test_a_socket_that_was_left_behind_is_nothing(place):
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(place / "left.sock"))
    failure = refused(place / "left.sock")
    assert failure.cause is Cause.NOTHING_LISTENS
    assert failure.detail.endswith("(connection refused)")


def test_a_full_queue_of_connections_is_no_answer(place):
    path = place / "busy.sock"
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as first:
        listener.bind(str(path))
        listener.listen(0)
        first.connect(str(path))
        with pytest.raises(SourceError) as caught:
            check_socket(f"unix://{path}", (ME,), 0.05)
    assert caught.value.failure.cause is Cause.NO_ANSWER


@as_root
@pytest.mark.parametrize("mode", ["directory", "socket"])
def test_a_process_that_may_not_connect_is_told_so(agent, mode):
    (agent.parent if mode == "directory" else agent).chmod(0o700)
    script = (
        "import os, sys\n"
        "from launchworthy.identity.source_checks import check_socket\n"
        "from launchworthy.identity.cause import SourceError\n"
        "os.setgid(12345); os.setuid(12345)\n"
        "try: check_socket(sys.argv[1], (), 1.0)\n"
        "except SourceError as error: print(error.failure.cause.value, error.failure.detail)"
    )
    said = subprocess.run(
        [sys.executable, "-c", script, f"unix://{agent}"],
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said == f"no-access this process (uid 12345, gid 12345) may not connect to `unix://{agent}`\n"


@pytest.mark.parametrize(
    "endpoint",
    [
        "/run/agent.sock",
        "unix:/run/agent.sock",
        "unix://run/agent.sock",
        "unix:///",
        "unix:///a\0b",
        "unix:///a%2fb",
        "unix:///a?b",
        "unix:///a#b",
        "unix:///a b",
        "unix:////a",
    ],
)
def test_an_address_without_an_owner_is_refused(endpoint):
    with pytest.raises(SourceError) as caught:
        socket_path(endpoint)
    assert caught.value.failure.cause is Cause.ENDPOINT


@pytest.mark.parametrize("name", ["a" * 200, "a" * 300])
def test_a_path_that_no_kernel_takes_is_nothing(place, name):
    assert refused(place / name).cause is Cause.NOTHING_LISTENS
    if len(name) > 255:
        with pytest.raises(SourceError, match="cannot reach"):
            check_file(place / name, (ME,))


def test_an_address_is_a_scheme_and_an_absolute_path():
    assert str(socket_path("unix:///run/spire/agent.sock")) == "/run/spire/agent.sock"


@pytest.mark.parametrize(("mode", "good"), [(0o600, True), (0o644, True), (0o620, False), (0o602, False)])
def test_a_file_that_others_can_write_is_refused(place, mode, good):
    file = place / "token"
    file.touch()
    file.chmod(mode)
    if good:
        assert check_file(file, (ME,)).st_size == 0
    else:
        with pytest.raises(SourceError, match="can be written by others"):
            check_file(file, (ME,))


@pytest.mark.parametrize("name", ["nothing", "directory", "agent.sock"])
def test_what_is_no_file_is_refused(agent, name):
    (agent.parent / "directory").mkdir()
    with pytest.raises(SourceError) as caught:
        check_file(agent.parent / name, (ME,))
    assert caught.value.failure.cause is Cause.NO_FILE
