"""What only another process shows: what is loaded, what is written on stderr, and a fork."""

import ast
import contextlib
import subprocess
import sys
from pathlib import Path
from queue import SimpleQueue

import pytest

import launchworthy
from launchworthy.identity.quiet import WorkloadApiClient, grpc, workload_pb2
from launchworthy.testing.workload_api import Fault

FRAMEWORK = Path(launchworthy.__file__).parents[1]

START = """
import asyncio, os, sys, time
from launchworthy.identity.spiffe import SpiffeIdentity

async def main():
    identity = SpiffeIdentity(
        endpoint=sys.argv[1], expected_id="spiffe://dev.invalid/simulated/orders",
        trust_domains=("dev.invalid",), socket_owner_uids=(os.geteuid(),), call_timeout=3.0, clock=time.time)
    loaded = "grpc" in sys.modules or "spiffe" in sys.modules
    await identity.start(10)
    await scenario(identity, loaded)
    await identity.aclose()
"""

QUIET = """
async def scenario(identity, loaded):
    serial = identity.x509().serial
    print({"before": loaded, "after": "grpc" in sys.modules}, flush=True)
    sys.stdin.readline()
    while identity.x509().serial == serial:
        await asyncio.sleep(0.01)
    print({"rotated": True})
asyncio.run(main())
"""

FORK = """
async def scenario(identity, loaded):
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            identity.x509()
            said = "served"
        except BaseException as error:
            said = f"{type(error).__name__} {identity.status().phase}"
        finally:
            os.write(write, said.encode())
            os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    print({"child": os.read(read, 1000).decode(), "parent": identity.status().phase.value})
asyncio.run(main())
"""


@contextlib.contextmanager
def _python(script, *arguments):
    with subprocess.Popen(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", script, *arguments],
        env={"PYTHONPATH": str(FRAMEWORK)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_the_libraries_are_loaded_by_the_start_and_write_nothing_on_stderr(world):
    with _python(START + QUIET, world.api.endpoint) as process:
        assert ast.literal_eval(process.stdout.readline()) == {"before": False, "after": True}
        with world.api.outage():
            pass
        out, err = process.communicate("go\n", timeout=20)
        assert (ast.literal_eval(out), err, process.returncode) == ({"rotated": True}, "", 0)


def test_a_forked_child_gets_nothing_and_the_parent_keeps_its_identity(world):
    with _python(START + FORK, world.api.endpoint) as process:
        out, err = process.communicate(timeout=20)
        assert err == ""
        assert ast.literal_eval(out) == {"child": "IdentityUnavailable FORKED", "parent": "READY"}


def test_a_token_file_loads_neither_library():
    script = "import sys, launchworthy.identity.token_file; print({'grpc', 'spiffe'} & set(sys.modules))"
    with _python(script) as process:
        out, err = process.communicate(timeout=20)
        assert (out, err) == ("set()\n", "")


# The undocumented touch points of the library; when one of these turns red, a new release has moved it.


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault.UNAVAILABLE, "UNAVAILABLE"),
        (Fault.PERMISSION_DENIED, "PERMISSION_DENIED"),
        (Fault.STREAM_END, None),
    ],
)
def test_the_error_callback_runs_where_the_grpc_error_can_be_seen(world, fault, code):
    world.api.set_fault(fault)
    seen = SimpleQueue()
    with WorkloadApiClient(world.api.endpoint) as client:
        client.stream_x509_contexts(
            lambda _: None, lambda error: seen.put((error, sys.exception())), retry_connect=False
        )
        told, live = seen.get(timeout=5)
    assert code is None or (isinstance(live, grpc.RpcError) and live.code().name == code)
    assert code is not None or (live is None and str(told) == "Workload API stream ended unexpectedly")


@pytest.mark.parametrize("name", ["X509SVIDRequest", "X509SVIDResponse", "JWTSVIDRequest", "JWTSVIDResponse"])
def test_the_messages_of_the_wire_format_are_there(name):
    assert getattr(workload_pb2, name).DESCRIPTOR.full_name == name
