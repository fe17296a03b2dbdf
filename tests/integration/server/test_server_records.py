"""What happens to identity, keys and promotion record while a server runs is a record of its own type."""

import asyncio
import json
from types import SimpleNamespace

import pytest

from launchworthy.attestation import Subject
from launchworthy.audit.stream import AuditStream
from launchworthy.identity.status import ChangeKind, IdentityChange
from launchworthy.server.auditing import FORTNIGHT_SECONDS, remind_of_the_record
from launchworthy.server.issuers import _key_auditor
from launchworthy.server.wiring import identity_auditor, trust_loaded
from launchworthy.tokens import KeyEvent, KeyEventKind

NOW = 1_795_143_731
SUBJECT = "spiffe://dev.invalid/orders"


@pytest.fixture
def parts(tmp_path):
    stream = AuditStream.open(tmp_path / "audit", source=None, clock=lambda: NOW * 10**9, reserve_bytes=4096)
    identity = SimpleNamespace(status=lambda: SimpleNamespace(subject=SUBJECT))
    yield SimpleNamespace(audit=stream, identity=identity, now=lambda: NOW, record=None)
    stream.close()


def last(parts):
    told = json.loads(parts.audit.path.read_bytes().splitlines()[-1])
    return told["type"].removeprefix("launchworthy.").removesuffix(".v1"), told["data"]


def test_every_change_of_the_identity_has_a_type_of_its_own(parts):
    seen = {}
    for kind in ChangeKind:
        identity_auditor(parts)(IdentityChange(kind=kind, detail="told", serial="5d", not_after=NOW + 60))
        name, data = last(parts)
        seen[name] = data
    assert list(seen) == [
        "identity.acquired",
        "identity.rotated",
        "identity.bundle_changed",
        "identity.refresh_failed",
        "identity.expired",
        "identity.revoked",
    ]
    assert all(data["identity"] == SUBJECT and data["not_after"] == NOW + 60 for data in seen.values())


def key_event(kind, **more):
    known = {"kind": kind, "name": "callers", "issuer": "https://login.acme.example", "jwks_uri": ""}
    return KeyEvent(**{**known, "added": (), "removed": (), "ignored": (), "detail": "", **more})


def test_changes_of_keys_and_failures_to_ask_for_them_are_told_apart(parts):
    record = _key_auditor(parts)
    record(key_event(KeyEventKind.CHANGED, added=("new",), removed=("old",), ignored=("enc",)))
    name, data = last(parts)
    assert (name, data["added"], data["removed"]) == ("keys.changed", ["new"], ["old"])
    assert "enc" in data["detail"]
    failed = next(kind for kind in KeyEventKind if kind is not KeyEventKind.CHANGED)
    record(key_event(failed, detail="status 500"))
    assert last(parts)[0] == "keys.refresh_failed"
    assert last(parts)[1]["detail"] == "status 500"


def reminded(parts, left):
    parts.record = SimpleNamespace(
        predicate=SimpleNamespace(run_until=NOW + left), reference=SimpleNamespace(sha256="ab" * 32)
    )

    async def a_moment():
        task = asyncio.create_task(remind_of_the_record(parts, every=60))
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(a_moment())
    return last(parts)


def test_a_record_that_ends_within_a_fortnight_is_said_and_one_that_lasts_is_not(parts):
    assert reminded(parts, FORTNIGHT_SECONDS + 3600)[0] == "stream.open"
    name, data = reminded(parts, 9 * 86_400 - 60)
    assert (name, data["days"], data["record_digest"]) == ("promotion.expiring", 9, "ab" * 32)
    assert reminded(parts, -5)[1].get("days", 0) == 0


def test_the_record_that_was_accepted_is_named_with_who_signed_it_and_under_which_policy(parts):
    record = SimpleNamespace(
        trust_policy_sha256="cd" * 32,
        reference=SimpleNamespace(sha256="ab" * 32),
        signer="spiffe://acme.example/ci/orders/release",
        digests={Subject.COMMIT: "8d1e0b7"},
        where="records/orders.dsse.json",
    )
    parts.audit.record(trust_loaded(record))
    name, data = last(parts)
    assert name == "trust.loaded"
    assert data == {
        "trust_digest": "cd" * 32,
        "record_digest": "ab" * 32,
        "signer": "spiffe://acme.example/ci/orders/release",
        "commit": "8d1e0b7",
        "detail": "records/orders.dsse.json",
    }
