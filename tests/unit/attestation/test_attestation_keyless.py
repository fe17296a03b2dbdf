"""A record that a workflow signed: what is refused before Sigstore's verifier is asked, and without it.

Here the library is hidden: what is good so far is refused only because nobody here can verify the rest.
`interop-sigstore` asks the library.
"""

import base64
import json
import sys
from dataclasses import replace

import pytest
from promoters import NOW, facts
from verifying import refused, verify
from workflows import (
    FORGERIES,
    POLICY,
    RUN,
    SIMULATED,
    Forged,
    as_record,
    other_world,
    policy_of,
    signed,
    statement,
)

from launchworthy.attestation import TrustPolicy, UnverifiedRecord, parse_envelope
from launchworthy.attestation.keyless import bundle_of, der_text, material_of
from launchworthy.attestation.svid import UntrustedSignerError
from launchworthy.testing.sigstore import SimulatedSigstore
from launchworthy.vocabulary import Environment

OURS = [each for each in FORGERIES if not each.by_library]


@pytest.fixture(scope="module")
def sigstore() -> SimulatedSigstore:
    return SimulatedSigstore(clock=lambda: NOW, run=RUN)


@pytest.fixture(scope="module")
def policy(sigstore: SimulatedSigstore) -> TrustPolicy:
    return policy_of(sigstore)


@pytest.fixture(autouse=True)
def _without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sigstore", None)
    for name in [each for each in sys.modules if each.startswith("sigstore.")]:
        monkeypatch.delitem(sys.modules, name)


def believed_but_for_the_library(record: UnverifiedRecord, policy: TrustPolicy, **how: object) -> str:
    return refused("sigstore-not-installed", lambda: verify(record, policy, **how))  # type: ignore[arg-type]


def test_without_the_library_a_good_record_is_refused_and_it_is_said_what_to_install(
    sigstore: SimulatedSigstore, policy: TrustPolicy
) -> None:
    what = believed_but_for_the_library(as_record(signed(sigstore)), policy)
    assert "uv add 'launchworthy[sigstore]'" in what


@pytest.mark.parametrize("forged", OURS, ids=lambda each: each.id)
def test_a_forgery_is_refused_for_what_it_is(
    forged: Forged, sigstore: SimulatedSigstore, policy: TrustPolicy
) -> None:
    believed_but_for_the_library(as_record(signed(sigstore)), policy)
    made = as_record(forged.make(sigstore))
    assert forged.says in refused(forged.reason, lambda: verify(made, forged.policy(sigstore)))


@pytest.mark.parametrize("seconds", [-60, 0, 600])
def test_it_may_say_any_moment_of_its_certificates_life(
    seconds: int, sigstore: SimulatedSigstore, policy: TrustPolicy
) -> None:
    believed_but_for_the_library(as_record(signed(sigstore, at=NOW - seconds)), policy)


def test_another_policys_workflow_is_nobody_here(sigstore: SimulatedSigstore) -> None:
    other = policy_of(sigstore, POLICY.replace("acme/orders", "acme/billing"))
    refused("record-not-trusted", lambda: verify(as_record(signed(sigstore)), other))
    believed_but_for_the_library(as_record(signed(sigstore)), policy_of(sigstore))


def test_the_key_id_is_the_certificates(sigstore: SimulatedSigstore, policy: TrustPolicy) -> None:
    renamed = as_record(replace(signed(sigstore), key_id="a" * 64))
    assert "keyid" in refused("record-not-trusted", lambda: verify(renamed, policy))


def test_what_sigstore_says_stands_beside_no_other_proof(
    sigstore: SimulatedSigstore, policy: TrustPolicy
) -> None:
    good = as_record(signed(sigstore))
    for more in ({"stamp": "AAAA"}, {"x5c": json.loads(good.envelope)["signatures"][0]["x5c"] * 2}):
        document = json.loads(good.envelope)
        document["signatures"][0] |= more
        record = replace(good, envelope=json.dumps(document).encode())
        refused("record-malformed", lambda record=record: verify(record, policy))


def test_without_what_sigstore_says_a_workflows_certificate_is_nobodys(
    sigstore: SimulatedSigstore, policy: TrustPolicy
) -> None:
    stripped = as_record(replace(signed(sigstore), material=None))
    refused("record-not-stamped", lambda: verify(stripped, policy))
    unstamped = policy_of(sigstore, POLICY.replace("catalogue", 'stamp = "none"\ncatalogue'))
    refused("record-not-trusted", lambda: verify(stripped, unstamped))


def test_neither_world_signs_for_the_other(sigstore: SimulatedSigstore, policy: TrustPolicy) -> None:
    simulated = other_world(sigstore)
    here = facts(Environment.REHEARSAL)
    payload = statement(environment=Environment.REHEARSAL)
    made = as_record(signed(sigstore, run=SIMULATED, payload=payload))
    believed_but_for_the_library(made, simulated, here=here)
    real = replace(simulated.environments[Environment.REHEARSAL],
                   workflows=policy.environments[Environment.PRODUCTION].workflows)  # fmt: skip
    lax = replace(simulated, environments={Environment.REHEARSAL: real})
    crossed = as_record(signed(sigstore, payload=payload))
    assert "other world" in refused("record-not-trusted", lambda: verify(crossed, lax, here=here))
    lax = replace(
        policy, environments={Environment.PRODUCTION: simulated.environments[Environment.REHEARSAL]}
    )
    crossed = as_record(signed(sigstore, run=SIMULATED))
    assert "other world" in refused("record-not-trusted", lambda: verify(crossed, lax))


def test_a_policy_that_lost_its_sigstore_believes_no_workflow(
    sigstore: SimulatedSigstore, policy: TrustPolicy
) -> None:
    made = as_record(signed(sigstore))
    refused("record-not-trusted", lambda: verify(made, replace(policy, sigstore=None)))


def test_the_bundle_is_what_other_tools_read(sigstore: SimulatedSigstore) -> None:
    envelope = parse_envelope(as_record(signed(sigstore)).envelope)
    bundle = json.loads(bundle_of(envelope))
    assert bundle["mediaType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
    assert base64.b64decode(bundle["dsseEnvelope"]["payload"]) == envelope.payload
    assert len(bundle["verificationMaterial"]["tlogEntries"]) == 1
    again = json.loads(material_of(json.dumps(bundle)))
    assert again["tlogEntries"] == json.loads(envelope.material or b"")["tlogEntries"]
    for wrong in (b"", b"[]", b'{"tlogEntries": []}', b'{"tlogEntries": [{}], "certificate": {}}'):
        with pytest.raises(UntrustedSignerError):
            bundle_of(replace(envelope, material=wrong))


@pytest.mark.parametrize(("length", "head"), [(0, 2), (127, 2), (128, 3), (255, 3), (256, 4), (500, 4)])
def test_a_text_in_a_certificate_has_one_spelling(length: int, head: int) -> None:
    written = der_text("a" * length)
    assert len(written) == head + length
    assert written[0] == 0x0C
    declared = written[1] if head == 2 else int.from_bytes(written[2:head], "big")
    assert declared == length
