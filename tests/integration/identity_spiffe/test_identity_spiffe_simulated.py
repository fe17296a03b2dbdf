"""The simulated agent itself: its socket, and what it leaves behind."""

import stat
import time
from pathlib import Path

import pytest

from launchworthy.identity.cause import SourceError
from launchworthy.identity.workload_api import fetch_update
from launchworthy.testing.authority import SimulatedAuthority
from launchworthy.testing.workload_api import Rpc, WorkloadApi


def _path(api):
    return Path(api.endpoint.removeprefix("unix://"))


def test_its_socket_is_private_and_its_path_short(world):
    socket = _path(world.api)
    assert stat.S_IMODE(socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    assert len(str(socket)) <= 103


def test_it_leaves_nothing_behind_and_can_be_started_again(world):
    world.api.stop()
    assert not _path(world.api).parent.exists()
    world.api.stop()
    with pytest.raises(RuntimeError, match="is not running"):
        world.api.rotate()
    world.api.start()
    assert fetch_update(world.api.endpoint, 5.0).svids


def test_one_that_is_never_started_leaves_nothing_either(world):
    assert not _path(WorkloadApi(world.authority, "orders")).parent.exists()


def test_a_directory_of_the_callers_own_is_kept(world, tmp_path):
    with WorkloadApi(world.authority, "orders", directory=tmp_path) as api:
        assert _path(api).parent == tmp_path
    assert tmp_path.exists()
    assert not _path(api).exists()


def test_a_path_that_is_too_long_for_a_socket_is_refused(world):
    with pytest.raises(ValueError, match="at most 103 bytes"):
        WorkloadApi(world.authority, "orders", directory=Path("/" + "a" * 100))


def test_an_intermediate_authority_is_part_of_the_chain(world):
    authority = SimulatedAuthority(clock=world.clock, intermediate=True)
    with WorkloadApi(authority, "orders") as api:
        [svid] = fetch_update(api.endpoint, 5.0).svids
    assert len(svid.chain) == 2


def test_a_socket_that_is_gone_by_the_time_of_the_call_is_named(world):
    with world.api.outage(), pytest.raises(SourceError, match="nothing listens"):
        fetch_update(world.api.endpoint, 1.0)


def test_its_counters_count(world):
    before = world.api.calls(Rpc.X509)
    fetch_update(world.api.endpoint, 5.0)
    assert world.api.calls(Rpc.X509) == before + 1
    deadline = time.monotonic() + 5
    while world.api.open_streams() != 0 and time.monotonic() < deadline:
        pass
    assert world.api.open_streams() == 0
