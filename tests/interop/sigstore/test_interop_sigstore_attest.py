"""From a cleared report to a start: a CI job's token, a Sigstore on loopback, and every place that looks."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from orders_project import ENVIRON
from places import Case, Made, reason_of
from test_forgeries import made
from workflows import SIMULATED, simulated_policy

from launchworthy.attestation import Subject, new_statement, parse_envelope, render_envelope, render_statement
from launchworthy.promotion import keyless_signing
from launchworthy.promotion.attesting import Attested, attest_report
from launchworthy.promotion.control import CATALOGUE_VERSION, controls_for
from launchworthy.testing.authority import SimulatedAuthority
from launchworthy.testing.fulcio import Run
from launchworthy.testing.sigstore import SimulatedSigstore
from launchworthy.testing.time_stamps import SimulatedTimeStamps
from launchworthy.testing.workload_api import WorkloadApi
from launchworthy.vocabulary import Environment, ProblemError

pytestmark = pytest.mark.foreign
PLACES = ("hook", "start", "verify")
__all__ = ["made"]


@pytest.fixture(scope="module")
def run_of_it(made: Made) -> Run:
    return replace(SIMULATED, commit=made.digests[Subject.COMMIT])


@pytest.fixture(scope="module")
def sigstore(run_of_it: Run) -> Iterator[SimulatedSigstore]:
    import sigstore.models
    import sigstore.verify  # noqa: F401 - a start is given one folder to import from, and this is not in it

    with SimulatedSigstore(clock=time.time, run=run_of_it) as instance:
        yield instance


@pytest.fixture
def case(made: Made, sigstore: SimulatedSigstore, run_of_it: Run, tmp_path: Path) -> Case:
    """A project whose platform trusts a workflow."""
    sigstore.run = run_of_it
    case = made.case(tmp_path)
    folder = tmp_path / "platform"
    folder.mkdir()
    (folder / "trusted_root.json").write_bytes(sigstore.trusted_root())
    (folder / "signing_config.json").write_bytes(sigstore.signing_config)
    case.trust_file = folder / "trust.toml"
    case.trust_file.write_text(simulated_policy())
    case.record = None
    case.place_record()
    return case


@pytest.fixture
def job(sigstore: SimulatedSigstore, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a job with `id-token: write` has."""
    for name, value in sigstore.environ.items():
        monkeypatch.setenv(name, value)


def report_of(case: Case, made: Made) -> Path:
    """A report that clears this project, as `promote` would have written it beside the wheel."""
    twin = {"holds": True, "what": "seen", "where": None, "fix": [], "requests": 1, "twin": True}
    findings = [
        {
            "control": control.id, "title": control.title, "family": "x", "status": "pass", "message": "seen",
            "rehearsed": False, "requests": 1, "milliseconds": 1, "assertions": [twin],
        }
        for control in controls_for(Environment.REHEARSAL)
    ]  # fmt: skip
    members = {
        "schema": "urn:launchworthy:promotion-report:v1", "project": "orders", "project_version": "1",
        "framework_version": "0.1.0", "catalogue": CATALOGUE_VERSION, "to_come": [],
        "environment": "rehearsal", "partial": False, "verdict": "cleared",
        "commit": made.digests[Subject.COMMIT], "dirty": [],
        "facts": {subject.value: digest for subject, digest in made.digests.items()},
        "requests": len(findings), "findings": findings, "replaced": [],
        "started_at": int(time.time()), "milliseconds": 1,
    }  # fmt: skip
    path = case.root / "dist" / "promotion" / "report.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(members))
    return path


def attest(case: Case, made: Made, *, identity: str | None = None, endpoint: str | None = None) -> Attested:
    return attest_report(
        case.root,
        report_of(case, made),
        wheel=case.wheel,
        endpoint=endpoint,
        identity=identity,
        trust_file=case.trust_file,
        environ=ENVIRON,
        clock=time.time,
    )


def place(case: Case) -> None:
    case.record = (case.root / "dist" / "promotion" / "record-rehearsal.dsse.json").read_bytes()
    case.place_record()


@pytest.mark.usefixtures("job")
def test_what_a_job_signs_is_built_starts_and_is_verified(
    case: Case, made: Made, sigstore: SimulatedSigstore
) -> None:
    before = sigstore.rekor.size
    attested = attest(case, made)
    assert attested.signer == f"{SIMULATED.identity} for {SIMULATED.repository}"
    assert attested.stamped_at is not None
    assert sigstore.rekor.size == before + 2  # the record, and its summary for other tools
    place(case)
    assert [reason_of(getattr(case, each)) for each in PLACES] == ["yes"] * 3
    case.looks_at_site = True
    assert reason_of(case.verify) == "yes"


def test_a_log_of_the_second_version_and_an_authority_do_as_well(
    case: Case, made: Made, run_of_it: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        SimulatedTimeStamps(clock=time.time) as stamps,
        SimulatedSigstore(clock=time.time, run=run_of_it, stamps=stamps) as second,
    ):
        for name, value in second.environ.items():
            monkeypatch.setenv(name, value)
        folder = case.trust_file.parent
        (folder / "trusted_root.json").write_bytes(second.trusted_root())
        (folder / "signing_config.json").write_bytes(second.signing_config)
        attest(case, made)
        assert (stamps.asked, second.rekor.size) == (2, 2)
    place(case)
    assert [reason_of(getattr(case, each)) for each in PLACES] == ["yes"] * 3


@pytest.mark.usefixtures("job")
@pytest.mark.parametrize(
    "other",
    [
        {"identity": SIMULATED.identity.replace("attest.yml", "release.yml")},
        {"repository": "https://dev.invalid/mallory/orders"},
        {"issuer": "https://other.dev.invalid"},
        {"commit": "b" * 40},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_job_that_is_no_promoter_writes_no_record(
    other: dict[str, str], case: Case, made: Made, sigstore: SimulatedSigstore, run_of_it: Run
) -> None:
    sigstore.run = replace(run_of_it, **other)
    with pytest.raises(ProblemError) as caught:
        attest(case, made)
    assert [problem.reason for problem in caught.value.problems] == ["record-not-trusted"]
    assert not list((case.root / "dist" / "promotion").glob("record-*"))
    sigstore.run = run_of_it
    assert attest(case, made)


@pytest.mark.parametrize("forged", ["repository", "instance", "payload", "entry", "revoked"])
def test_a_forgery_fails_at_each_place(
    forged: str, case: Case, made: Made, sigstore: SimulatedSigstore, run_of_it: Run
) -> None:
    payload = render_statement(
        new_statement(made.digests, case.project.predicate(environment=Environment.REHEARSAL))
    )
    now = int(time.time())
    good, reason = sigstore.seal(payload, at=now), "record-not-trusted"
    made_up = good
    match forged:
        case "repository":
            sigstore.run = replace(run_of_it, repository="https://dev.invalid/mallory/orders")
            made_up = sigstore.seal(payload, at=now)
        case "instance":
            made_up = SimulatedSigstore(clock=time.time, run=run_of_it).seal(payload, at=now)
        case "payload":
            made_up = replace(good, payload=payload.replace(b'"passed":41', b'"passed":70'))
            reason = "record-altered"
        case "entry":
            made_up = replace(good, material=sigstore.seal(payload, at=now).material)
        case _:
            reason = "record-revoked"
    for envelope, expected in ((good, "yes"), (made_up, reason)):
        if forged == "revoked" and expected != "yes":
            case.trust_file.write_text(
                f'{case.trust_file.read_text()}[revoked]\nsigners = ["{SIMULATED.identity}"]\n'
            )
        case.record = render_envelope(envelope)
        case.place_record()
        assert [reason_of(getattr(case, each)) for each in PLACES] == [expected] * 3


def test_without_a_token_nothing_is_signed(
    case: Case, made: Made, monkeypatch: pytest.MonkeyPatch, sigstore: SimulatedSigstore
) -> None:
    def refused() -> str:
        with pytest.raises(ProblemError) as caught:
            attest(case, made)
        return caught.value.problems[0].reason

    for name in ("GITHUB_ACTIONS", "GITLAB_CI", "CIRCLECI", "BUILDKITE"):
        monkeypatch.delenv(name, raising=False)
    assert refused() == "no-identity"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")  # a job without `id-token: write`
    assert refused() == "not-signed"
    for name, value in {**sigstore.environ, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "another"}.items():
        monkeypatch.setenv(name, value)
    assert refused() == "not-signed"
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", sigstore.environ["ACTIONS_ID_TOKEN_REQUEST_TOKEN"])
    assert attest(case, made)


@pytest.mark.usefixtures("job")
def test_services_that_do_not_answer_sign_nothing_and_the_token_is_not_told(
    case: Case, made: Made, monkeypatch: pytest.MonkeyPatch, sigstore: SimulatedSigstore
) -> None:
    config = case.trust_file.parent / "signing_config.json"
    config.write_bytes(sigstore.signing_config.replace(sigstore.url.encode(), b"http://127.0.0.1:9"))
    with pytest.raises(ProblemError) as caught:
        attest(case, made)
    assert caught.value.problems[0].reason == "not-signed"
    assert "eyJ" not in caught.value.problems[0].what
    monkeypatch.setattr(keyless_signing, "SECONDS", 0.0)
    with pytest.raises(ProblemError) as caught:
        attest(case, made)
    assert "no answer within" in caught.value.problems[0].what


@pytest.mark.usefixtures("job")
def test_a_record_by_the_library_is_a_bundle_that_other_tools_read(
    case: Case, made: Made, sigstore: SimulatedSigstore
) -> None:
    from sigstore.models import Bundle

    from launchworthy.attestation.keyless import bundle_of

    attest(case, made)
    record = (case.root / "dist" / "promotion" / "record-rehearsal.dsse.json").read_bytes()
    bundle = Bundle.from_json(bundle_of(parse_envelope(record)))
    assert Bundle.from_json(bundle.to_json()).signing_certificate == bundle.signing_certificate
    assert sigstore.rekor.size > 0


@pytest.mark.usefixtures("job")
def test_where_several_may_sign_somebody_says_who(case: Case, made: Made) -> None:
    authority = SimulatedAuthority(clock=time.time)
    workload = authority.spiffe_id("promoter")
    (case.trust_file.parent / "root.pem").write_bytes(authority.bundle_pem())
    both = simulated_policy().replace("promoters = [", f'promoters = ["{workload}", ')
    case.trust_file.write_text(f'{both}[roots]\n"dev.invalid" = ["root.pem"]\n')
    with WorkloadApi(authority, "promoter") as agent:
        for identity, reason in (
            (None, "promoter-not-said"),
            ("https://dev.invalid/x@v1", "record-not-trusted"),
        ):
            with pytest.raises(ProblemError) as caught:
                attest(case, made, identity=identity, endpoint=agent.endpoint)
            assert caught.value.problems[0].reason == reason
        signed = attest(case, made, identity=workload, endpoint=agent.endpoint)
        assert (signed.signer, signed.stamped_at) == (workload, None)
        place(case)
        assert [reason_of(getattr(case, each)) for each in PLACES] == ["yes"] * 3
        attest(case, made, identity=SIMULATED.identity, endpoint=None)
        place(case)
        assert [reason_of(getattr(case, each)) for each in PLACES] == ["yes"] * 3
