"""Sigstore's own verifier, without a network: what a workflow signed counts, and no forgery of it does."""

import importlib.resources
import json
import socket
import subprocess
import sys
from dataclasses import replace

import pytest
from promoters import DAY, NOW, facts
from verifying import refused, verify
from workflows import CERTIFIED, FORGERIES, POLICY, RUN, Forged, as_record, policy_of, services, signed

from launchworthy.attestation import Purpose, TrustPolicy, Workflow
from launchworthy.attestation.keyless import trust_config
from launchworthy.attestation.workflow import in_force
from launchworthy.testing.sigstore import SimulatedSigstore
from launchworthy.testing.time_stamps import SimulatedTimeStamps
from launchworthy.vocabulary import ProblemError

pytestmark = pytest.mark.foreign


@pytest.fixture(scope="module")
def sigstore() -> SimulatedSigstore:
    return SimulatedSigstore(clock=lambda: NOW, run=RUN)


@pytest.fixture(scope="module")
def policy(sigstore: SimulatedSigstore) -> TrustPolicy:
    return policy_of(sigstore)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_: object) -> None:
        raise AssertionError("verifying asked the network")

    monkeypatch.setattr(socket.socket, "connect", nobody)


def test_what_a_workflow_signed_counts_for_a_build_and_for_each_start(
    sigstore: SimulatedSigstore, policy: TrustPolicy
) -> None:
    made = as_record(signed(sigstore))
    verified = verify(made, policy)
    workflow = Workflow(identity=RUN.identity, issuer=RUN.issuer, repository=RUN.repository)
    assert (verified.signer, verified.stamped_at) == (workflow, CERTIFIED)
    assert verify(made, policy, now=NOW + 89 * DAY, purpose=Purpose.START)
    refused("record-expired", lambda: verify(made, policy, now=NOW + 91 * DAY, purpose=Purpose.START))


def test_a_log_that_tells_no_time_needs_an_authority_that_does() -> None:
    def at(moment: int) -> SimulatedSigstore:
        stamps = SimulatedTimeStamps(clock=lambda: moment)
        return SimulatedSigstore(clock=lambda: NOW, run=RUN, stamps=stamps)

    good = at(CERTIFIED + 1)
    made = signed(good)
    assert verify(as_record(made), policy_of(good)).stamped_at == CERTIFIED
    for wrong in (CERTIFIED - 1, CERTIFIED + 601):
        other = at(wrong)
        refused("record-not-trusted", lambda other=other: verify(as_record(signed(other)), policy_of(other)))
    material = json.loads(made.material or b"")
    other = json.loads(signed(good).material or b"")
    for forged in (
        {"tlogEntries": material["tlogEntries"]},
        {**material, "timestampVerificationData": other["timestampVerificationData"]},
        {**material, "tlogEntries": other["tlogEntries"]},
    ):
        record = as_record(replace(made, material=json.dumps(forged).encode()))
        refused("record-not-trusted", lambda record=record: verify(record, policy_of(good)))


def test_the_size_of_the_log_does_not_matter(sigstore: SimulatedSigstore, policy: TrustPolicy) -> None:
    for _ in range(9):
        assert verify(as_record(signed(sigstore)), policy)


def test_a_record_counts_after_its_services_were_retired(sigstore: SimulatedSigstore) -> None:
    later = policy_of(sigstore, trusted_root=sigstore.trusted_root(until=NOW + DAY))
    assert verify(as_record(signed(sigstore)), later, now=NOW + 80 * DAY, purpose=Purpose.START)


@pytest.mark.parametrize("forged", FORGERIES, ids=lambda each: each.id)
def test_a_forgery_is_refused(forged: Forged, sigstore: SimulatedSigstore, policy: TrustPolicy) -> None:
    assert verify(as_record(signed(sigstore)), policy)
    made = as_record(forged.make(sigstore))
    assert forged.says in refused(forged.reason, lambda: verify(made, forged.policy(sigstore)))


def test_a_good_record_about_something_else_is_refused(
    sigstore: SimulatedSigstore, policy: TrustPolicy
) -> None:
    made = as_record(signed(sigstore))
    for name, reason in (("wheel", "record-for-another-wheel"), ("uv_lock", "record-for-other-files")):
        here = facts(**{name: "0" * 64})
        refused(reason, lambda here=here: verify(made, policy, here=here))
    assert verify(made, policy)


def test_whoever_was_revoked_counts_no_more(sigstore: SimulatedSigstore, policy: TrustPolicy) -> None:
    made = as_record(signed(sigstore))
    key = verify(made, policy).key_id
    for name in (RUN.identity, key):
        revoking = policy_of(sigstore, f'{POLICY}[revoked]\nsigners = ["{name}"]\n')
        refused("record-revoked", lambda revoking=revoking: verify(made, revoking))


def test_the_files_of_the_public_instance_are_read(sigstore: SimulatedSigstore) -> None:
    store = importlib.resources.files("sigstore._store").joinpath("https%3A%2F%2Ftuf-repo-cdn.sigstore.dev")
    root = store.joinpath("trusted_root.json").read_bytes()
    config = store.joinpath("signing_config.v0.2.json").read_bytes()
    public = policy_of(sigstore, trusted_root=root, signing_config=config)
    assert public.sigstore is not None
    now = json.loads(in_force(root, NOW))
    assert (len(now["certificateAuthorities"]), len(now["ctlogs"])) == (1, 1)
    assert json.loads(trust_config(public.sigstore, at=NOW))["trustedRoot"] == now
    with pytest.raises(ProblemError):
        policy_of(sigstore, trusted_root=config, signing_config=root)
    refused("record-not-trusted", lambda: verify(as_record(signed(sigstore)), public))
    assert services(sigstore)["trusted_root.json"] != root


def test_the_library_is_loaded_by_such_a_record_only() -> None:
    code = "import sys, launchworthy.attestation.verification; sys.exit('sigstore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
