"""Each forgery, committed at each place, beside the record that counts."""

import base64
import json
import os
import sys
import time
import tomllib
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from forgery_list import FORGERIES, Forgery
from places import PROMOTER, REAL_PROMOTER, WORKLOAD, Case, Made, reason_of, write_trust
from promoters import DAY, RECORD_ID, Authority
from workflows import SIMULATED, simulated_policy

from launchworthy.attestation import Subject, new_statement, render_envelope, render_statement
from launchworthy.testing.sigstore import SimulatedSigstore
from launchworthy.vocabulary import Environment

PLACES = ("hook", "start", "verify")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    root = Path(__file__).resolve().parents[3]
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    info = tmp_path_factory.mktemp("plugin") / "launchworthy-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: launchworthy\nVersion: 0.1.0\n")
    lines = "".join(f"{name} = {value}\n" for name, value in project["entry-points"]["hatch"].items())
    (info / "entry_points.txt").write_text(f"[hatch]\n{lines}")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(info.parent))
        return Made.make(tmp_path_factory.mktemp("forgeries"))


@pytest.mark.parametrize("place", PLACES)
def test_without_a_forgery_it_is_built_starts_and_is_verified(place: str, made: Made, tmp_path: Path) -> None:
    case = made.case(tmp_path)
    assert reason_of(getattr(case, place)) == "yes"
    case.looks_at_site = True
    assert reason_of(case.verify) == "yes"


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda each: each.id)
def test_a_forgery_fails_at_each_place(
    forgery: Forgery, place: str, made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sigstore", None)  # what it would verify, `interop-sigstore` sees
    case = made.case(tmp_path)
    COMMIT[forgery.id](case, made)
    case.place_record()
    assert reason_of(getattr(case, place)) == getattr(forgery, place)


def none(case: Case, _made: Made) -> None:
    case.record = None


def foreign_ca(case: Case, made: Made) -> None:
    case.record = made.signed(case, signer=foreign(case).signer())


def foreign(case: Case) -> "Signers":
    return Signers(Authority(domain="dev.invalid", not_before=case.project.authority.not_before,
                             not_after=case.project.authority.not_after))  # fmt: skip


class Signers:
    """An authority and the signers that it makes, alive today."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority

    def signer(self, name: str = PROMOTER):
        now = self.authority.not_after - 100 * DAY
        return self.authority.signer(name, not_before=now - 3600, not_after=now + 3600)


def another_workload(case: Case, made: Made) -> None:
    case.record = made.signed(case, signer=case.project.signer("spiffe://dev.invalid/ci/other/release"))


def signs_for_itself(case: Case, made: Made) -> None:
    case.record = made.signed(case, signer=case.project.signer(WORKLOAD))


def expired(case: Case, made: Made) -> None:
    signed = case.project.authority.not_before + 5 * DAY  # 95 days ago
    signer = case.project.authority.signer(PROMOTER, not_before=signed - 60, not_after=signed + 60)
    dates = {"signed_at": signed, "build_until": signed + 30 * DAY, "run_until": signed + 90 * DAY}
    case.record = made.signed(case, signer=signer, **dates)


def altered(case: Case, _made: Made) -> None:
    assert case.record is not None
    envelope = json.loads(case.record)
    payload = base64.b64decode(envelope["payload"]).replace(b'"passed":41', b'"passed":70')
    case.record = json.dumps({**envelope, "payload": base64.b64encode(payload).decode()}).encode()


def another_commit(case: Case, _made: Made) -> None:
    change(case, "src/orders/tools.py", "orders/tools.py", "\n# another commit\n")
    case.project.commit()


def other_lock(case: Case, made: Made) -> None:
    """A record that names this commit and this tree, and the lock of another one."""
    change(case, "uv.lock", "orders/_launchworthy/uv.lock", "\n# other versions\n")
    case.project.commit()
    git = {
        Subject.COMMIT: case.project.git("rev-parse", "HEAD"),
        Subject.TREE: case.project.git("rev-parse", "HEAD^{tree}"),
    }
    case.record = made.signed(case, digests={**made.digests, **git})


def manifest_dirty(case: Case, _made: Made) -> None:
    change(case, "manifests/tools.toml", "orders/_launchworthy/manifests/tools.toml", "\n# edited\n")


def manifest_committed(case: Case, made: Made) -> None:
    manifest_dirty(case, made)
    case.project.commit()


def change(case: Case, path: str, installed: str, more: str) -> None:
    """Add to a file of the tree, and to its copy among what was installed."""
    for file in (case.root / path, case.site / installed):
        file.write_text(file.read_text() + more)


def other_environment(case: Case, made: Made) -> None:
    case.record = made.signed(case, environment=Environment.STAGING)


def older_catalogue(case: Case, made: Made) -> None:
    case.record = made.signed(case, catalogue="0.0.9")


def revoked(case: Case, _made: Made) -> None:
    trusted(case, more=f'[revoked]\nrecords = ["{RECORD_ID}"]\n')


def revoked_signer(case: Case, _made: Made) -> None:
    trusted(case, more=f'[revoked]\nsigners = ["{PROMOTER}"]\n')


def unstamped(case: Case, _made: Made) -> None:
    authority = '[{ url = "http://127.0.0.1:9/", roots = ["root.pem"] }]'
    trusted(case, stamp=f'stamp = "required"\ntime_stamp_authorities = {authority}')


def trusted(case: Case, **changes: str) -> None:
    case.trust_file = write_trust(case.trust_file.parent, case.project.authority, **changes)


def simulated_signer(case: Case, made: Made) -> None:
    """Production, whose policy trusts a real promoter: a simulated one has signed."""
    if os.geteuid() != 0:
        pytest.skip("who is not root cannot own a trust policy that counts for production")
    case.environment = Environment.PRODUCTION
    trusted(case, environment="production", promoter=REAL_PROMOTER)
    case.record = made.signed(case, environment=Environment.PRODUCTION)


def ca_rotated_away(case: Case, _made: Made) -> None:
    (case.trust_file.parent / "root.pem").write_bytes(foreign(case).authority.pem)


def promoter_in_tree(case: Case, made: Made) -> None:
    """Named by the build's variable, `--trust` and the world file, as a project could."""
    own = foreign(case)
    case.record = made.signed(case, signer=own.signer())
    for folder in (case.root / "dist" / "trust", case.package / "trust"):
        write_trust(folder, own.authority)
    link = case.root / "dist" / "trust.toml"
    link.symlink_to(case.package / "trust" / "trust.toml")
    case.trust_file = link


def another_workflow(case: Case, made: Made) -> None:
    keyless(case, made, identity=SIMULATED.identity.replace("attest.yml", "ci.yml"))


def another_repository(case: Case, made: Made) -> None:
    keyless(case, made, repository="https://dev.invalid/mallory/orders")


def run_of_another_commit(case: Case, made: Made) -> None:
    keyless(case, made, commit="b" * 40)


def altered_in_the_log(case: Case, made: Made) -> None:
    keyless(case, made)
    altered(case, made)


def unverifiable(case: Case, made: Made) -> None:
    keyless(case, made)


def keyless(case: Case, made: Made, **changes: str) -> None:
    """A policy that trusts a workflow, and a record that is signed as it signs, but for what is changed."""
    run = replace(SIMULATED, **{"commit": made.digests[Subject.COMMIT], **changes})
    sigstore = SimulatedSigstore(clock=time.time, run=run)
    folder = case.trust_file.parent
    (folder / "trusted_root.json").write_bytes(sigstore.trusted_root())
    (folder / "signing_config.json").write_bytes(sigstore.signing_config)
    case.trust_file.write_text(simulated_policy())
    predicate = case.project.predicate(environment=Environment.REHEARSAL)
    payload = render_statement(new_statement(made.digests, predicate))
    case.record = render_envelope(sigstore.seal(payload, at=int(time.time()) - 2))


def pth(case: Case, _made: Made) -> None:
    text = "import launchworthy.attestation.verification as v; v.verify_record = lambda *a, **k: None\n"
    brought(case, "gate.pth", text)


def patched_framework(case: Case, _made: Made) -> None:
    brought(case, "launchworthy/gate.py", "verify = 0\n")


def brought(case: Case, path: str, text: str) -> None:
    """A wheel that brings a file beside the package, and what its installer leaves of it."""
    with zipfile.ZipFile(case.wheel, "a") as archive:
        archive.writestr(path, text)
    (case.site / path).write_text(text)
    case.looks_at_site = True


def tool_module(case: Case, _made: Made) -> None:
    text = "\nimport launchworthy.attestation.verification as v\nv.verify_record = lambda *a, **k: None\n"
    change(case, "src/orders/tools.py", "orders/tools.py", text)


COMMIT: dict[str, Callable[[Case, Made], None]] = {
    each.__name__.replace("_", "-"): each
    for each in (
        none, foreign_ca, another_workload, signs_for_itself, expired, altered, another_commit, other_lock,
        manifest_dirty, manifest_committed, other_environment, older_catalogue, revoked, revoked_signer,
        unstamped, simulated_signer, ca_rotated_away, promoter_in_tree, pth, patched_framework, tool_module,
        another_workflow, another_repository, run_of_another_commit, altered_in_the_log, unverifiable,
    )
}  # fmt: skip


def test_every_forgery_has_its_case() -> None:
    assert set(COMMIT) == {each.id for each in FORGERIES}
