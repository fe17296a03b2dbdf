"""Which workflows a trust policy may name, and what is refused of them and of Sigstore's two files."""

import json

import pytest
from promoters import NOW, Authority
from workflows import (
    IDENTITY,
    POLICY,
    PROMOTER,
    RUN,
    SIGSTORE,
    TABLE,
    as_record,
    other_world,
    policy_of,
    services,
    signed,
    simulated_policy,
)

from launchworthy.attestation import Workflow, parse_trust_policy, revocation_of, root_files
from launchworthy.attestation.statement import parse_statement
from launchworthy.attestation.workflow import in_force
from launchworthy.testing.sigstore import SimulatedSigstore
from launchworthy.vocabulary import Environment, ProblemError

DAY = 86_400


@pytest.fixture(scope="module")
def sigstore() -> SimulatedSigstore:
    return SimulatedSigstore(clock=lambda: NOW, run=RUN)


def reasons(sigstore: SimulatedSigstore, toml: str, **files: bytes) -> list[str]:
    with pytest.raises(ProblemError) as caught:
        policy_of(sigstore, toml, **files)
    return [problem.reason for problem in caught.value.problems]


def test_a_policy_may_name_workflows_beside_workloads(sigstore: SimulatedSigstore) -> None:
    policy = policy_of(sigstore)
    production = policy.of(Environment.PRODUCTION)
    assert (production.promoters, production.stamp_authorities) == (frozenset(), ())
    assert production.workflows == {
        Workflow(identity=RUN.identity, issuer=RUN.issuer, repository=RUN.repository)
    }
    assert root_files(POLICY.encode(), where="t") == ("signing_config.json", "trusted_root.json")
    workload = "spiffe://acme.example/ci/orders/release"
    both = POLICY.replace(PROMOTER, f'{PROMOTER}, "{workload}"').replace(
        "catalogue", 'stamp = "none"\ncatalogue'
    )
    files = {**services(sigstore), "acme.pem": Authority().pem}
    document = f'{both}[roots]\n"acme.example" = ["acme.pem"]\n'.encode()
    policy = parse_trust_policy(document, files, where="t")
    production = policy.of(Environment.PRODUCTION)
    assert production.promoters == {workload}
    assert len(production.workflows) == 1
    assert policy.sha256 != parse_trust_policy(
        document, {**files, "trusted_root.json": services(sigstore)["trusted_root.json"] + b"\n"}, where="t"
    ).sha256  # fmt: skip


def test_stamps_are_for_workloads_and_sigstore_dates_the_rest(sigstore: SimulatedSigstore) -> None:
    workload = POLICY.replace(PROMOTER, f'{PROMOTER}, "spiffe://acme.example/ci/orders/release"')
    workload += '[roots]\n"acme.example" = ["acme.pem"]\n'
    assert policy_of(sigstore).of(Environment.PRODUCTION).stamp_required
    with pytest.raises(ProblemError) as caught:
        parse_trust_policy(workload.encode(), {**services(sigstore), "acme.pem": Authority().pem}, where="t")
    assert "requires time stamps" in caught.value.problems[0].what


@pytest.mark.parametrize(
    "changed",
    [
        IDENTITY.replace("https", "http"),
        IDENTITY.replace("v1", "*"),
        IDENTITY.replace("v1", ".+"),
        IDENTITY.split("@", 1)[0],
        "https://someone@github.com/acme/platform",
        IDENTITY.replace("github.com", "dev.invalid"),
        IDENTITY.replace("github.com", "127.0.0.1"),
        "release@acme.example",
        "",
    ],
)
def test_a_workflow_is_named_with_its_version_and_without_patterns(
    changed: str, sigstore: SimulatedSigstore
) -> None:
    assert policy_of(sigstore)
    assert set(reasons(sigstore, POLICY.replace(IDENTITY, changed))) == {"trust-policy-malformed"}


@pytest.mark.parametrize("left_out", ["identity", "issuer", "repository"])
def test_nothing_of_a_workflow_is_left_open(left_out: str, sigstore: SimulatedSigstore) -> None:
    parts = PROMOTER.strip("{} ").split(", ")
    kept = ", ".join(each for each in parts if not each.startswith(left_out))
    found = reasons(sigstore, POLICY.replace(PROMOTER, f"{{ {kept} }}"))
    assert set(found) == {"trust-policy-malformed"}


def test_a_workflow_needs_a_sigstore_and_a_sigstore_a_workflow(sigstore: SimulatedSigstore) -> None:
    assert reasons(sigstore, POLICY.replace(SIGSTORE, "")) == ["trust-policy-without-root"]
    workload = (
        'promoters = ["spiffe://acme.example/ci/orders/release"]\n[roots]\n"acme.example" = ["acme.pem"]\n'
    )
    toml = f'[staging]\ncatalogue = "0.1"\n{workload}'
    files = {**services(sigstore), "acme.pem": Authority().pem}
    assert parse_trust_policy(toml.encode(), files, where="t").sigstore is None
    with pytest.raises(ProblemError) as caught:
        parse_trust_policy(f"{toml}{SIGSTORE}".encode(), files, where="t")
    assert "no promoter is a workflow" in caught.value.problems[0].what


@pytest.mark.parametrize("file", ["trusted_root", "signing_config"])
@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"mediaType": "x"}', b"{" * 9999])
def test_files_that_are_none_of_sigstores_are_refused(
    file: str, content: bytes, sigstore: SimulatedSigstore
) -> None:
    assert reasons(sigstore, POLICY, **{file: content}) == ["trust-policy-malformed"]


@pytest.mark.parametrize("emptied", ["tlogs", "ctlogs", "certificateAuthorities"])
def test_a_root_that_vouches_for_nothing_is_refused(emptied: str, sigstore: SimulatedSigstore) -> None:
    document = json.loads(sigstore.trusted_root())
    document[emptied] = []
    assert reasons(sigstore, POLICY, trusted_root=json.dumps(document).encode()) == ["trust-policy-malformed"]


def test_services_of_the_other_world_are_refused(sigstore: SimulatedSigstore) -> None:
    assert set(reasons(sigstore, POLICY, signing_config=sigstore.signing_config)) == {
        "trust-policy-malformed"
    }
    assert other_world(sigstore).of(Environment.REHEARSAL).workflows
    with pytest.raises(ProblemError):
        parse_trust_policy(simulated_policy().encode(), services(sigstore), where="t")


def test_one_sigstore_is_of_one_world(sigstore: SimulatedSigstore) -> None:
    both = f"[production]\n{TABLE}{simulated_policy()}"
    found = reasons(sigstore, both, signing_config=sigstore.signing_config)
    assert "trust-policy-mixes-worlds" in found
    assert "trust-policy-mixes-worlds" not in reasons(
        sigstore, both.replace("dev.invalid", "github.com").replace("[rehearsal]", "[staging]"),
        signing_config=sigstore.signing_config,
    )  # fmt: skip


def test_a_workflow_is_revoked_by_its_name(sigstore: SimulatedSigstore) -> None:
    predicate = parse_statement(signed(sigstore).payload).predicate
    for named, counts in ((IDENTITY, False), (IDENTITY.replace("v1", "v0"), True)):
        policy = policy_of(sigstore, f'{POLICY}[revoked]\nsigners = ["{named}"]\n')
        assert (revocation_of(predicate, (IDENTITY, "a" * 64), policy) is None) is counts
    other_case = IDENTITY.replace("github.com", "GitHub.com")
    for wrong in ("https://github.com/acme", "github.com/acme@v1", "*", other_case):
        found = reasons(sigstore, f'{POLICY}[revoked]\nsigners = ["{wrong}"]\n')
        assert found == ["trust-policy-malformed"]
    assert as_record(signed(sigstore)).where


@pytest.mark.parametrize(("days", "kept"), [(-1, 3), (0, 3), (1, 0)], ids=["before", "on the day", "after"])
def test_what_was_retired_vouches_for_nothing_after_that(
    days: int,
    kept: int,
    sigstore: SimulatedSigstore,
) -> None:
    root = json.loads(in_force(sigstore.trusted_root(until=NOW), NOW + days * DAY))
    lists = [root[name] for name in ("tlogs", "ctlogs", "certificateAuthorities")]
    assert sum(len(each) for each in lists) == kept
    early = json.loads(in_force(sigstore.trusted_root(), NOW - 400 * DAY))
    assert not early["tlogs"]
    assert json.loads(in_force(sigstore.trusted_root(), NOW)) == json.loads(sigstore.trusted_root())
