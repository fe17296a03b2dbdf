"""A file that was written once verifies for ever, and the writer still writes the same bytes.

`tests/vectors/audit.json` holds a small stream, its roots and anchors, and what must be said
of it after each harm. A change of the format needs a new version of the format, not a new vector.
"""

import json
from pathlib import Path

import pytest
from audit_world import NOW, SOURCE, Clock, attempt, outcome, seeded_key
from cryptography.x509 import load_pem_x509_certificates
from second_verifier import verify

from launchworthy.audit import BindingProof
from launchworthy.audit.events import ServerReady, ServerStarting
from launchworthy.audit.stream import AuditStream
from launchworthy.audit.verification import verify_paths

VECTOR = json.loads((Path(__file__).parents[2] / "vectors" / "audit.json").read_text())


def write(directory, proof):
    """The stream of the vector: the same key, clock, records and proof each time."""
    notes = []
    stream = AuditStream.open(
        directory,
        source=SOURCE,
        clock=Clock(now=NOW),
        new_key=lambda: seeded_key(42),
        checkpoint_every=5,
        anchor=notes.append,
    )
    stream.record(ServerStarting(environment="production", version="0.1.0", instance="orders-7d4-k2x"))
    payload = stream.binding_payload()
    stream.bind(proof(payload), SOURCE)
    stream.record(ServerReady(resource="https://orders.acme.example/mcp"))
    stream.record(attempt("4T7K-9QX2-M0DV", subject="Zoë 🙂\u202e"), subject="order/1042")
    stream.record(outcome("4T7K-9QX2-M0DV"), critical=True)
    stream.close()
    return stream.path, notes


def stored_proof(_payload):
    proof = VECTOR["proof"]
    return BindingProof(**{**proof, "chain": tuple(proof["chain"]), "bundle": tuple(proof["bundle"])})


def harmed(case):
    lines = [line.encode() for line in VECTOR["lines"]]
    for number, old, new in case.get("replace", ()):
        lines[number] = lines[number].replace(old.encode(), new.encode())
    for number in case.get("delete", ()):
        del lines[number]
    return b"".join(line + b"\n" for line in lines) + case.get("torn", "").encode()


def test_the_writer_writes_the_bytes_of_the_vector(tmp_path):
    path, notes = write(tmp_path / "audit", stored_proof)
    assert path.name == VECTOR["name"]
    assert path.read_text().splitlines() == VECTOR["lines"]
    assert notes == VECTOR["anchors"]


@pytest.mark.parametrize("case", VECTOR["cases"], ids=lambda case: case["what"])
def test_both_verifiers_say_what_the_vector_says(case, tmp_path):
    (tmp_path / "trust").mkdir()
    (tmp_path / "trust" / "acme.example.pem").write_text(VECTOR["roots"])
    path = tmp_path / VECTOR["name"]
    path.write_bytes(harmed(case))
    anchors = VECTOR["anchors"] if case.get("anchored") else []
    trust = tmp_path / "trust" if case.get("trusted", True) else None
    found = verify_paths([path], require_sealed=False, trust_directory=trust, anchors=anchors)
    record = found.streams[0].damage.record if found.streams[0].damage else None
    assert (found.streams[0].state.value, record) == (case["state"], case["record"])
    roots = load_pem_x509_certificates(VECTOR["roots"].encode()) if case.get("trusted", True) else []
    assert verify(path.read_bytes(), name=path.name, roots=roots, anchors=anchors) == (
        case["state"],
        case["record"],
    )
