"""One project that was judged, and one platform that trusts one promoter; made once."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from promoted_orders import PromotedOrders

from launchworthy.testing.authority import SimulatedAuthority
from launchworthy.testing.workload_api import WorkloadApi


@dataclass(frozen=True, kw_only=True)
class Platform:
    """Who may sign, and where its identity comes from."""

    trust: Path
    endpoint: str
    promoter: str


def write_trust(folder: Path, authority: SimulatedAuthority) -> Path:
    """A trust policy with one promoter for rehearsals."""
    folder.mkdir(exist_ok=True)
    (folder / "root.pem").write_bytes(authority.bundle_pem())
    file = folder / "trust.toml"
    file.write_text(
        f'[rehearsal]\npromoters = ["{authority.spiffe_id("promoter")}"]\nstamp = "none"\n'
        'catalogue = "0.1"\n[roots]\n"dev.invalid" = ["root.pem"]\n'
    )
    return file


@pytest.fixture(scope="session")
def orders(tmp_path_factory: pytest.TempPathFactory) -> PromotedOrders:
    return PromotedOrders.make(tmp_path_factory.mktemp("promoted"))


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    authority = SimulatedAuthority(clock=time.time)
    with WorkloadApi(authority, "promoter") as agent:
        yield Platform(
            trust=write_trust(tmp_path_factory.mktemp("platform"), authority),
            endpoint=agent.endpoint,
            promoter=authority.spiffe_id("promoter"),
        )
