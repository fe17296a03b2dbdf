"""The suite's scenarios for authorization servers: the simulated issuer passes all of them."""

import os
import re
import subprocess
import threading

import pytest
from browser import sign_in
from conformance_suite import PACKAGE, REVISIONS

from launchworthy.testing.issuer import SimulatedIssuer
from launchworthy.testing.issuer_clients import RegisteredClient
from launchworthy.testing.world import free_port

pytestmark = pytest.mark.foreign
RESOURCE = "https://orders.acme.example/mcp"


@pytest.mark.parametrize("revision", REVISIONS)
def test_its_metadata_and_its_sign_in_are_as_they_should_be(node, tmp_path, revision):
    port = free_port()
    browser = RegisteredClient(
        client_id="suite", keys=None, redirect_uris=(f"http://127.0.0.1:{port}/callback",)
    )
    with SimulatedIssuer({RESOURCE: ("orders:read",)}, fetch_client_metadata=lambda _: {}) as issuer:
        issuer.clients.add(browser)
        program = node.script(PACKAGE, "dist/index.js")
        who = ["--client-id", "suite", "--resource", RESOURCE, "-p", str(port)]
        command = [*program, "authorization", "--url", issuer.issuer, "--spec-version", revision, *who]
        said = run_signing_in(command, str(tmp_path))
        assert "Total: 3 passed, 0 failed" in said, said
        assert issuer.counts["token"] == 1


def run_signing_in(command: list[str], home: str) -> str:
    """Run it; whatever address it prints is opened, and somebody signs in there."""
    environment = {"PATH": os.environ["PATH"], "HOME": home, "NO_COLOR": "1"}
    said = ""
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True,
    ) as process:  # fmt: skip
        late = threading.Timer(60, process.kill)
        late.start()
        assert process.stdout is not None
        address = None
        for line in process.stdout:
            said += line
            found = re.search(r"^(http://\S+/authorize\?\S+)", line)
            address = found[1] if found is not None else address
            if address is not None and "Callback server started" in line:
                sign_in(address)
        process.wait()
        late.cancel()
    return said
