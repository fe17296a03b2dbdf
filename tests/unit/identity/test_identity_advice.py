"""What a doctor tells people to do."""

import pytest

from launchworthy.identity.advice import advise
from launchworthy.identity.cause import Cause, Failure
from launchworthy.identity.surroundings import ThisPod, ThisProcess, this_pod, this_process

PROCESS = ThisProcess(uid=65532, gid=65532, executable="/app/bin/python")
EXPECTED = "spiffe://acme.example/ns/orders/sa/orders"


def lines(cause, pod, expected_id=EXPECTED):
    return advise(Failure(cause=cause, detail="…"), expected_id, PROCESS, pod)


def test_a_pod_with_another_service_account_is_told_which_line_to_change():
    assert lines(Cause.NO_ENTRY, ThisPod(namespace="orders", service_account="default")) == (
        "the expected identity names service account `orders`; the pod runs as `default`:",
        "  deploy/deployment.yaml   spec.template.spec.serviceAccountName: orders",
        "or, if `default` is meant, ask the SPIRE operator for this entry:",
        "  spire-server entry create -spiffeID spiffe://acme.example/ns/orders/sa/orders \\",
        "    -parentID <the node's id> -selector k8s:ns:orders -selector k8s:sa:default",
    )


def test_a_pod_in_another_namespace_is_told_so_first():
    first, *_ = lines(Cause.NO_ENTRY, ThisPod(namespace="staging", service_account="orders"))
    assert first == "the expected identity names namespace `orders`; the pod runs in `staging`:"


def test_a_pod_that_is_as_expected_lacks_its_entry():
    first, *_ = lines(Cause.NO_ENTRY, ThisPod(namespace="orders", service_account="orders"))
    assert first == "namespace and service account are as expected; ask the SPIRE operator for this entry:"


@pytest.mark.parametrize("expected_id", [EXPECTED, "spiffe://acme.example/orders"])
def test_outside_kubernetes_the_user_is_the_selector(expected_id):
    said = lines(Cause.OTHER_IDENTITY, None, expected_id)
    assert said[0] == "ask the SPIRE operator for this entry:"
    assert said[-1].endswith("-selector unix:uid:65532")


def test_a_platform_that_issues_tokens_has_no_entries():
    said = lines(Cause.OTHER_IDENTITY, None, "system:serviceaccount:orders:payments")
    assert said == (
        "run this as service account `payments` in namespace `orders`:",
        "  deploy/deployment.yaml   spec.template.spec.serviceAccountName: payments",
        "or correct `identity.expected_id`, and promote",
    )
    for expected_id in ("repo:acme/orders:ref:refs/heads/main", "system:serviceaccount:orders"):
        said, _ = lines(Cause.OTHER_IDENTITY, None, expected_id)
        assert said.startswith("run this where the platform issues that subject")
        assert "spire" not in "".join(lines(Cause.NO_ENTRY, None, expected_id))


@pytest.mark.parametrize(
    "cause", [cause for cause in Cause if cause not in (Cause.NO_ENTRY, Cause.OTHER_IDENTITY)]
)
def test_a_doctor_never_sends_people_to_the_doctor(cause):
    said = lines(cause, None)
    assert said
    assert "launchworthy identity doctor" not in said


def test_what_kubernetes_mounted_tells_the_pod(tmp_path, authority):
    assert this_pod(tmp_path) is None
    token = tmp_path / "token"
    for subject, pod in [
        ("system:serviceaccount:orders:default", ThisPod(namespace="orders", service_account="default")),
        ("system:serviceaccount:orders", None),
        ("orders:default", None),
    ]:
        token.write_text(authority.mint_jwt(subject, ("a",), ttl=600))
        assert this_pod(tmp_path) == pod
    token.write_text("garbage")
    assert this_pod(tmp_path) is None


def test_a_process_knows_itself():
    assert this_process().executable
