"""The files of the guide, as they stand there: the policy believes whom it names, and the job is allowed."""

import re
import sys
import tomllib
from pathlib import Path

import pytest
from promoters import DIGESTS, NOW
from verifying import refused, verify
from workflows import as_record, policy_of, services, signed

from launchworthy.attestation import Subject, TrustPolicy, parse_trust_policy
from launchworthy.promotion.checks.workflows import jobs_that_sign, workflow_mistakes
from launchworthy.testing.fulcio import Run
from launchworthy.testing.sigstore import SimulatedSigstore
from launchworthy.vocabulary import Environment

ROOT = Path(__file__).resolve().parents[3]
GUIDE = (ROOT / "docs" / "guides" / "sigstore.md").read_text()
[POLICY] = re.findall(r"^```toml\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
PLATFORMS, PROJECTS = re.findall(r"^```yaml\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
[NAMED] = tomllib.loads(POLICY)["production"]["promoters"]
RUN = Run(
    identity=NAMED["identity"],
    issuer=NAMED["issuer"],
    repository=NAMED["repository"],
    commit=DIGESTS[Subject.COMMIT],
)


@pytest.fixture
def sigstore() -> SimulatedSigstore:
    return SimulatedSigstore(clock=lambda: NOW, run=RUN)


@pytest.fixture
def policy(sigstore: SimulatedSigstore) -> TrustPolicy:
    files = services(sigstore)
    files["signing_config.v0.2.json"] = files.pop("signing_config.json")
    return parse_trust_policy(POLICY.encode(), files, where="trust.toml")


def test_the_policy_names_one_workflow(policy: TrustPolicy) -> None:
    [workflow] = policy.of(Environment.PRODUCTION).workflows
    assert (workflow.identity, workflow.issuer, workflow.repository) == (
        RUN.identity,
        RUN.issuer,
        RUN.repository,
    )


def test_it_believes_no_other(
    sigstore: SimulatedSigstore, policy: TrustPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sigstore", None)
    made = as_record(signed(sigstore, run=RUN))
    refused("sigstore-not-installed", lambda: verify(made, policy))
    refused("record-not-trusted", lambda: verify(made, policy_of(sigstore)))


def test_what_the_policy_names_is_what_the_project_pins() -> None:
    [pinned] = re.findall(r"uses: (\S+)", PROJECTS)
    assert RUN.identity == f"https://github.com/{pinned}"


def test_the_job_that_signs_is_released_by_a_person() -> None:
    assert list(jobs_that_sign(PLATFORMS)) == [("attest", True)]


def test_the_projects_workflow_is_allowed_with_the_guides_job() -> None:
    path = ".github/workflows/release.yml"
    release = (ROOT / "examples" / "orders" / path).read_text()
    changed, count = re.subn(
        r"  attest:\n.*?\n(?=  build:\n)", lambda _: PROJECTS + "\n", release, flags=re.DOTALL
    )
    assert count == 1
    assert not list(workflow_mistakes(path, changed, action=False))
    loose = changed.replace(RUN.identity.rsplit("@", 1)[1], "main")
    assert [each.holds for each in workflow_mistakes(path, loose, action=False)] == [False]
    own = PLATFORMS.replace("workflow_call", "push")
    assert [each.holds for each in workflow_mistakes(path, own, action=False)] == [False]


@pytest.mark.parametrize("table", ["build-system", "project", "dependency-groups"])
def test_the_project_has_the_places_that_the_guide_names(table: str) -> None:
    assert f"[{table}]" in GUIDE
    assert table in tomllib.loads((ROOT / "examples" / "orders" / "pyproject.toml").read_text())
