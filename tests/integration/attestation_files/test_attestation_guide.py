"""The guide's trust policy, exactly as it is written there: it is read, and it believes whom it names."""

import re
import shutil
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests" / "unit" / "attestation"))
from promoters import DAY, Authority, facts, record  # noqa: E402
from verifying import refused, verify  # noqa: E402

from launchworthy.attestation import Purpose, TrustPolicy, root_files  # noqa: E402
from launchworthy.attestation.trust_file import read_copy  # noqa: E402
from launchworthy.testing.time_stamps import SimulatedTimeStamps  # noqa: E402
from launchworthy.vocabulary import Environment  # noqa: E402

GUIDE = ROOT / "docs" / "guides" / "trust-policy.md"
STAGING = "spiffe://acme.example/ci/orders/staging"


def written() -> str:
    [policy] = re.findall(r"^```toml\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    return policy


@pytest.fixture(scope="module")
def acme() -> Authority:
    now = int(time.time())
    return Authority(not_before=now - DAY, not_after=now + DAY)


@pytest.fixture(scope="module")
def stamps() -> SimulatedTimeStamps:
    return SimulatedTimeStamps(clock=time.time)


@pytest.fixture
def trust(tmp_path: Path, acme: Authority, stamps: SimulatedTimeStamps) -> TrustPolicy:
    """The file and the two beside it, under the names that the guide gives them."""
    document = written()
    (tmp_path / "trust.toml").write_text(document)
    (tmp_path / "acme-2026a.pem").write_bytes(acme.pem)
    (tmp_path / "acme-stamps.pem").write_bytes(stamps.root_pem)
    assert root_files(document.encode(), where="trust.toml") == ("acme-2026a.pem", "acme-stamps.pem")
    return read_copy(tmp_path / "trust.toml")


def test_it_believes_the_promoter_that_it_names_and_nobody_else(
    trust: TrustPolicy, acme: Authority, stamps: SimulatedTimeStamps
) -> None:
    now = int(time.time())
    alive = {"not_before": now - 600, "not_after": now + 600}
    dates = {"signed_at": now, "build_until": now + 30 * DAY, "run_until": now + 90 * DAY}
    good = record(acme.signer(**alive), stamper=stamps.stamp, **dates)
    verified = verify(good, trust, now=now)
    assert verified.stamped_at is not None
    assert verify(good, trust, now=now + 89 * DAY, purpose=Purpose.START)
    refused("record-not-stamped", lambda: verify(record(acme.signer(**alive), **dates), trust, now=now))
    other = record(acme.signer(STAGING, **alive), stamper=stamps.stamp, **dates)
    refused("record-not-trusted", lambda: verify(other, trust, now=now))
    staging = record(acme.signer(STAGING, **alive), environment=Environment.STAGING, **dates)
    assert verify(staging, trust, now=now, here=facts(Environment.STAGING))


def test_whoever_it_revokes_counts_no_more(
    tmp_path: Path, trust: TrustPolicy, acme: Authority, stamps: SimulatedTimeStamps
) -> None:
    now = int(time.time())
    alive = {"not_before": now - 600, "not_after": now + 600}
    dates = {"signed_at": now, "build_until": now + 30 * DAY, "run_until": now + 90 * DAY}
    good = record(acme.signer(**alive), stamper=stamps.stamp, **dates)
    assert verify(good, trust, now=now)
    record_id = verify(good, trust, now=now).predicate.record_id
    shutil.copytree(tmp_path, tmp_path / "later")
    document = re.sub(r"^records = \[\]", f'records = ["{record_id}"]', written(), flags=re.MULTILINE)
    assert document != written()
    (tmp_path / "later" / "trust.toml").write_text(document)
    later = read_copy(tmp_path / "later" / "trust.toml")
    refused("record-revoked", lambda: verify(good, later, now=now))
