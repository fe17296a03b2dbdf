"""What the doctor says: one fault per patient, and the healthy one."""

import os
import socket
import time
from dataclasses import replace

import pytest

from launchworthy.identity.cause import Cause
from launchworthy.identity.doctor import IdentityQuestion, Mark, answer, diagnose
from launchworthy.identity.doctor_page import render_diagnosis
from launchworthy.identity.surroundings import ThisPod, ThisProcess
from launchworthy.testing.authority import SimulatedAuthority
from launchworthy.testing.workload_api import Fault, WorkloadApi

ORDERS = "spiffe://dev.invalid/simulated/orders"
SUBJECT = "system:serviceaccount:simulated:orders"


class Patient:
    def __init__(self):
        self.ahead = 0.0
        self.authority = SimulatedAuthority(clock=self.clock)

    def clock(self):
        return time.time() + self.ahead


@pytest.fixture
def patient():
    return Patient()


@pytest.fixture
def api(patient):
    with WorkloadApi(patient.authority, "orders") as api:
        yield api


@pytest.fixture
def ask(api, patient):
    def asked(**other):
        question = IdentityQuestion(
            **{
                "kind": "spiffe",
                "endpoint": api.endpoint,
                "endpoint_from": "LAUNCHWORTHY_IDENTITY__ENDPOINT",
                "expected_id": ORDERS,
                "trust_domains": ("dev.invalid",),
                "owner_uids": (os.geteuid(),),
                "call_timeout": 3.0,
                "process": ThisProcess(uid=65532, gid=65532, executable="/app/bin/python"),
                "pod": None,
                **other,
            }
        )
        return answer(question, clock=patient.clock)

    return asked


def marks(diagnosis):
    return "".join(found.mark.value for found in diagnosis.steps)


def at_fault(diagnosis):
    [bad] = [found for found in diagnosis.steps if found.mark is Mark.BAD]
    return bad.step.value


def test_a_healthy_patient(ask):
    found = ask()
    assert marks(found) == "✓✓✓✓✓✓✓"
    assert (found.exit_code, found.gets, found.advice) == (0, ORDERS, ())
    assert found.steps[2].says.endswith(f"ms, as uid {os.geteuid()}")


@pytest.mark.parametrize(
    ("fault", "step", "pattern"),
    [
        (Fault.PERMISSION_DENIED, "entry", "✓✓✓✗···"),
        (Fault.UNAVAILABLE, "agent", "✓✓✗····"),
        (Fault.INVALID_ARGUMENT, "agent", "✓✓✗····"),
        (Fault.HANG, "agent", "✓✓✗····"),
        (Fault.STREAM_END, "agent", "✓✓✗····"),
        (Fault.EMPTY, "identity", "✓✓✓·✗··"),
        (Fault.GARBAGE, "identity", "✓✓✓·✗··"),
        (Fault.EXPIRED, "clock", "✓✓✓✓✓·✗"),
    ],
)
def test_each_fault_of_an_agent_has_its_step(api, ask, fault, step, pattern):
    api.set_fault(fault)
    found = ask(call_timeout=0.3 if fault is Fault.HANG else 3.0)
    assert (at_fault(found), marks(found)) == (step, pattern)
    assert (found.exit_code, found.gets) == (1, None)
    assert found.advice
    api.set_fault(Fault.NONE)
    assert ask().exit_code == 0


def test_another_identity_is_the_identity_step(ask):
    found = ask(expected_id="spiffe://dev.invalid/simulated/payments")
    assert (at_fault(found), marks(found)) == ("identity", "✓✓✓✓✗··")
    assert "spire-server entry create" in "\n".join(found.advice)


@pytest.mark.parametrize("expected_id", ["orders", "spiffe://dev.invalid", "spiffe://acme.example/orders"])
def test_an_expectation_that_no_agent_can_meet_is_the_identity_step(ask, expected_id):
    assert at_fault(ask(expected_id=expected_id)) == "identity"


def test_a_chain_that_does_not_verify_is_the_trust_step(api, ask, patient):
    forged = SimulatedAuthority(clock=patient.clock).mint_x509("orders", ttl=60)
    api.present(replace(forged, bundle_der=patient.authority.bundle_der()))
    assert (at_fault(ask()), marks(ask())) == ("trust", "✓✓✓✓✓✗✓")


def test_a_clock_that_is_behind_is_the_clock_step(ask, patient):
    patient.ahead -= 60
    found = ask()
    assert at_fault(found) == "clock"
    assert found.advice == ("the clock of this host is behind: synchronise it",)


def test_a_missing_federation_is_said_and_is_no_fault(ask):
    found = ask(trust_domains=("dev.invalid", "partner.dev.invalid"))
    assert found.exit_code == 0
    assert (
        found.steps[5].says
        == "verifies to the bundle of dev.invalid; without a bundle of partner.dev.invalid"
    )


def test_no_socket_and_no_address_are_their_steps(api, ask):
    with api.outage():
        found = ask()
    assert (at_fault(found), marks(found)) == ("socket", "✓✗·····")
    assert found.failure.detail == f"nothing listens on `{api.endpoint}`"
    assert (at_fault(ask(endpoint="tcp://127.0.0.1:1")), marks(ask(endpoint="x"))) == ("endpoint", "✗······")


def test_a_socket_that_others_can_replace_is_the_socket_step(ask, tmp_path):
    tmp_path.chmod(0o777)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "agent.sock"))
        listener.listen()
        found = ask(endpoint=f"unix://{tmp_path}/agent.sock")
    assert (at_fault(found), marks(found)) == ("socket", "✓✗·····")


def test_the_page_reads_as_documented(api, ask):
    api.set_fault(Fault.PERMISSION_DENIED)
    found = ask(
        expected_id="spiffe://dev.invalid/ns/orders/sa/orders",
        pod=ThisPod(namespace="orders", service_account="default"),
    )
    agent = found.steps[2].says
    owner = "root" if os.geteuid() == 0 else f"uid {os.geteuid()}"
    assert render_diagnosis(found, environment="production") == (
        " production · expects spiffe://dev.invalid/ns/orders/sa/orders\n"
        "\n"
        f" ✓ endpoint    {api.endpoint}   from LAUNCHWORTHY_IDENTITY__ENDPOINT\n"
        f" ✓ socket      there; {owner} owns it, and nobody else can replace it\n"
        f" ✓ agent       {agent}\n"
        " ✗ entry       the agent has no entry for this process (PERMISSION_DENIED: no identity issued)\n"
        " · identity    not tried\n"
        " · trust       not tried\n"
        " · clock       not tried\n"
        "\n"
        " this process  uid 65532, gid 65532, /app/bin/python\n"
        " this pod      namespace orders, service account default  (projected token, not verified)\n"
        "\n"
        " Here it would get: nothing.\n"
        " → the expected identity names service account `orders`; the pod runs as `default`:\n"
        "     deploy/deployment.yaml   spec.template.spec.serviceAccountName: orders\n"
        "   or, if `default` is meant, ask the SPIRE operator for this entry:\n"
        "     spire-server entry create -spiffeID spiffe://dev.invalid/ns/orders/sa/orders \\\n"
        "       -parentID <the node's id> -selector k8s:ns:orders -selector k8s:sa:default\n"
    )


def test_a_healthy_page_says_what_it_would_get(ask):
    assert render_diagnosis(ask(), environment="staging").endswith(f"\n Here it would get: {ORDERS}\n")


@pytest.fixture
def ask_file(ask, tmp_path):
    tmp_path.chmod(0o755)
    path = tmp_path / "token"

    def asked(token, **other):
        path.unlink(missing_ok=True)
        if token is not None:
            path.write_text(token)
            path.chmod(0o600)
        process = ThisProcess(uid=os.geteuid(), gid=0, executable="/app/bin/python")
        other = {"endpoint": str(path), "expected_id": SUBJECT, "process": process, **other}
        return ask(kind="file", **other)

    return asked


def test_each_fault_of_a_token_file_has_its_step(ask_file, patient):
    def mint(**claims):
        claims = {"iss": "https://dev.invalid/simulated", **claims}
        return patient.authority.mint_jwt(SUBJECT, ("https://login.dev.invalid",), ttl=600, **claims)

    assert marks(ask_file(mint())) == "✓✓✓✓✓"
    assert ask_file(mint()).gets == SUBJECT
    assert marks(ask_file(mint(), endpoint="token")) == "✗····"
    assert marks(ask_file(None)) == "✓✗···"
    assert marks(ask_file("garbage")) == "✓✓✗··"
    assert marks(ask_file(mint(sub="other"))) == "✓✓✗··"
    assert marks(ask_file(mint(iss="https://evil.example"))) == "✓✓✓✗·"
    late = ask_file(mint(exp=1))
    assert (marks(late), late.failure.cause) == ("✓✓✓✓✗", Cause.NOT_RENEWED)
    assert "the file was last written at" in late.failure.detail
    assert any("kubelet" in line for line in late.advice)


def test_this_process_can_be_asked_about_itself(api, patient):
    found = diagnose(
        kind="spiffe",
        endpoint=api.endpoint,
        endpoint_from="config/production.toml:14",
        expected_id=ORDERS,
        trust_domains=("dev.invalid",),
        socket_owner_uids=(os.geteuid(),),
        call_timeout=3.0,
        environ={},
        clock=patient.clock,
    )
    assert found.exit_code == 0
    assert found.question.process.uid == os.geteuid()
