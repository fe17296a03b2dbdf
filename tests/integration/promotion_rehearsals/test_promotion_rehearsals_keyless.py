"""The guide `sigstore.md`, step by step: a CI job without a key signs, and its record is built and starts."""

import re
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from promoted_orders import REPOSITORY, PromotedOrders

from launchworthy.testing.project import TestedProject
from launchworthy.testing.sigstore import SimulatedSigstore
from launchworthy.vocabulary import Environment

sys.path.insert(0, str(REPOSITORY / "tests" / "unit" / "attestation"))
from workflows import SIMULATED, simulated_policy

pytestmark = pytest.mark.slow
EXTRA = '"launchworthy[sigstore]",'
PLACES = {
    "build-system": '  "launchworthy~=0.1.0",\n]\nbuild-backend',
    "project": "  # Yours: below this line.\n",
    "dependency-groups": 'test = ["launchworthy[dev]",',
}


class KeylessOrders(PromotedOrders):
    """The example, with what its guide adds for records that a workflow signs."""

    def lend(self, wheel: Path) -> None:
        guide = (REPOSITORY / "docs" / "guides" / "sigstore.md").read_text()
        assert re.findall(r"^\[([a-z-]+)\] .*\+ (\S+) ", guide, re.MULTILINE) == [
            (table, EXTRA) for table in PLACES
        ]
        for table, before in PLACES.items():
            added = f" {EXTRA}" if table == "dependency-groups" else f"  {EXTRA}\n"
            after = before.replace("]\n", f"{added}]\n") if "]\n" in before else before + added
            self.edit("pyproject.toml", before, after)
        super().lend(wheel)


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> PromotedOrders:
    return KeylessOrders.make(tmp_path_factory.mktemp("keyless"))


@pytest.fixture(scope="module")
def sigstore(orders: PromotedOrders) -> Iterator[SimulatedSigstore]:
    commit = orders.run("git", "rev-parse", "HEAD").stdout.strip()
    with SimulatedSigstore(clock=time.time, run=replace(SIMULATED, commit=commit)) as instance:
        yield instance


@pytest.fixture(scope="module")
def trust(sigstore: SimulatedSigstore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("platform")
    (folder / "trusted_root.json").write_bytes(sigstore.trusted_root())
    (folder / "signing_config.json").write_bytes(sigstore.signing_config)
    file = folder / "trust.toml"
    file.write_text(simulated_policy())
    return file


def test_from_a_jobs_token_to_a_server_that_answers(
    orders: PromotedOrders, sigstore: SimulatedSigstore, trust: Path, tmp_path: Path
) -> None:
    promoted = orders.launchworthy("promote", "--environment", "rehearsal", "--format", "json")
    assert promoted.returncode == 0, promoted.stdout[-2000:] + promoted.stderr[-2000:]
    program = orders.root / ".venv" / "bin" / "launchworthy"
    attest = (program, "attest", orders.report, "--trust", trust)
    without_a_token = orders.run(*attest, check=False)
    assert (without_a_token.returncode, "no-identity" in without_a_token.stderr) == (1, True)
    done = orders.run(*attest, check=False, **sigstore.environ)
    assert done.returncode == 0, done.stderr
    assert f"{SIMULATED.identity} for {SIMULATED.repository}" in done.stdout
    verified = orders.launchworthy("verify-record", "--trust", trust)
    assert (verified.returncode, "compared  12 digests" in verified.stdout) == (0, True), verified.stderr
    other = tmp_path / "other"
    other.mkdir()
    for file in trust.parent.iterdir():
        (other / file.name).write_bytes(file.read_bytes().replace(b"acme/orders", b"acme/billing"))
    refused = orders.launchworthy("verify-record", "--trust", other / "trust.toml")
    assert (refused.returncode, "record-not-trusted" in refused.stderr) == (1, True)

    built = orders.build(trust)
    assert built.returncode == 0, built.stderr
    [wheel] = (orders.root / "dist").glob("*.whl")
    orders.run("uv", "pip", "install", "-q", "--python", orders.python, "--no-deps", "--reinstall", wheel)
    project = TestedProject.read(orders.root)
    how = {"environment": Environment.REHEARSAL, "settings": Environment.PRODUCTION, "trust": trust}
    with (
        project.world(tmp_path, **how) as world,
        world.server("orders", python=str(orders.python)),
        world.client("orders:read") as client,
    ):
        assert client.call("find_orders", customer="c-17") == []
