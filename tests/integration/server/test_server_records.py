"""What happens to identity, keys and promotion record while a server runs is a record of its own type."""

import asyncio
import json
from contextlib import suppress
from types import SimpleNamespace

import pytest

from launchworthy.attestation import Subject
from launchworthy.audit.stream import AuditStream
from launchworthy.identity.status import ChangeKind, IdentityChange
from launchworthy.server import record
from launchworthy.server.issuers import _key_auditor
from launchworthy.server.parts import Ending
from launchworthy.server.record_dates import FORTNIGHT_SECONDS
from launchworthy.server.record_watch import REVOKED, remind_of_the_record, watch_the_record
from launchworthy.server.wiring import identity_auditor, trust_loaded
from launchworthy.testing.authority import SimulatedAuthority
from launchworthy.tokens import KeyEvent, KeyEventKind
from launchworthy.vocabulary import Environment, Problem, ProblemError

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


def in_force(left, *, name="ab"):
    predicate = SimpleNamespace(run_until=NOW + left, record_id=f"lwr1-{name * 16}")
    return SimpleNamespace(
        predicate=predicate,
        reference=SimpleNamespace(sha256=name * 32),
        signer="spiffe://acme.example/ci/orders/release",
        key_id=name * 32,
        trust_policy_sha256="cd" * 32,
        digests={Subject.COMMIT: "8d1e0b7"},
        where=f"records/{name}.dsse.json",
    )


def moment(parts, task):
    """Let a task of the watch go on until it has nothing to do."""

    async def a_moment():
        parts.ending = Ending()
        running = asyncio.create_task(task(parts, every=0.01))
        await asyncio.sleep(0.3)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    asyncio.run(a_moment())


def reminded(parts, left, *, found=None):
    parts.record = in_force(left)

    def verify(_parts):
        if found is None:
            raise ProblemError(Problem(reason="no-record", what="nothing else is here", fix=()))
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record, "verify", verify)
        moment(parts, remind_of_the_record)
    return last(parts)


def test_a_record_that_ends_within_a_fortnight_is_said_and_one_that_lasts_is_not(parts):
    assert reminded(parts, FORTNIGHT_SECONDS + 3600)[0] == "stream.open"
    name, data = reminded(parts, 9 * 86_400 - 60)
    assert (name, data["days"], data["record_digest"]) == ("promotion.expiring", 9, "ab" * 32)
    assert reminded(parts, -5)[1].get("days", 0) == 0


def test_a_renewed_record_is_taken_while_the_process_runs(parts):
    renewed = in_force(60 * 86_400, name="ef")
    name, data = reminded(parts, 9 * 86_400, found=renewed)
    assert (name, data["record_digest"]) == ("trust.loaded", "ef" * 32)
    assert parts.record is renewed
    assert reminded(parts, 9 * 86_400, found=in_force(9 * 86_400))[0] == "promotion.expiring"


def policy(tmp_path, authority, more=""):
    folder = tmp_path / "trust"
    folder.mkdir(exist_ok=True)
    (folder / "root.pem").write_bytes(authority.bundle_pem())
    file = folder / "trust.toml"
    file.write_text(
        '[rehearsal]\npromoters = ["spiffe://dev.invalid/promoter"]\nstamp = "none"\ncatalogue = "0.1"\n'
        f'[roots]\n"dev.invalid" = ["root.pem"]\n{more}'
    )
    return file


@pytest.mark.parametrize(
    ("revoked", "drains"),
    [
        ('records = ["lwr1-abababababababababababababababab"]', True),
        ('signers = ["spiffe://acme.example/ci/orders/release"]', True),
        (f'signers = ["{"ab" * 32}"]', True),
        ('records = ["lwr1-00000000000000000000000000000000"]', False),
    ],
)
def test_a_revoked_record_ends_the_process_and_another_ones_does_not(parts, tmp_path, revoked, drains):
    file = policy(tmp_path, SimulatedAuthority(clock=lambda: NOW), f"[revoked]\n{revoked}\n")
    watched(parts, file)
    assert (parts.ending.cause == REVOKED) is drains
    name, data = last(parts)
    assert name == ("promotion.revoked" if drains else "stream.open")
    if drains:
        assert data["record_digest"] == "ab" * 32
        assert "is revoked by" in data["detail"]


def test_where_another_record_counts_it_is_taken_instead(parts, tmp_path):
    revoked = '[revoked]\nrecords = ["lwr1-abababababababababababababababab"]\n'
    file = policy(tmp_path, SimulatedAuthority(clock=lambda: NOW), revoked)
    other = in_force(60 * 86_400, name="ef")
    watched(parts, file, found=other)
    assert (parts.ending.cause, parts.record) == (None, other)
    assert last(parts)[0] == "trust.loaded"


def test_a_policy_that_cannot_be_read_revokes_nothing_and_is_said(parts, tmp_path):
    file = policy(tmp_path, SimulatedAuthority(clock=lambda: NOW))
    file.write_text("half of a fi")
    watched(parts, file)
    assert (parts.ending.cause, parts.trust_unreadable) == (None, True)
    policy(tmp_path, SimulatedAuthority(clock=lambda: NOW))
    watched(parts, file)
    assert not parts.trust_unreadable


@pytest.mark.parametrize("unexpected", [PermissionError("site-packages"), RuntimeError("a mistake of ours")])
def test_whatever_goes_wrong_in_the_search_for_another_record_a_revoked_one_ends_the_process(
    parts, tmp_path, unexpected
):
    revoked = '[revoked]\nrecords = ["lwr1-abababababababababababababababab"]\n'
    file = policy(tmp_path, SimulatedAuthority(clock=lambda: NOW), revoked)
    watched(parts, file, fails=unexpected)
    assert parts.ending.cause == REVOKED
    assert last(parts)[0] == "promotion.revoked"


def watched(parts, file, *, found=None, fails=None):
    parts.settings = SimpleNamespace(environment=Environment.REHEARSAL, world=SimpleNamespace(trust=file))
    parts.project = SimpleNamespace(root=file.parent.parent / "site" / "orders" / "_launchworthy")
    parts.record, parts.trust_unreadable = in_force(60 * 86_400), False

    def verify(_parts):
        if fails is not None:
            raise fails
        if found is None:
            raise ProblemError(Problem(reason="record-revoked", what="it is", fix=()))
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record, "verify", verify)
        moment(parts, watch_the_record)


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
