"""What should somebody do about an identity that does not come? Pure: a failure and facts in, lines out."""

import re

from launchworthy.identity.cause import TRAITS, Cause, Failure
from launchworthy.identity.surroundings import SUBJECT_PREFIX, ThisPod, ThisProcess

_SPIFFE = "spiffe://"
_KUBERNETES_ID = re.compile(r"spiffe://[^/]+/ns/(?P<namespace>[^/]+)/sa/(?P<service_account>[^/]+)")
_DOCTOR = "launchworthy identity doctor"


def advise(failure: Failure, expected_id: str, process: ThisProcess, pod: ThisPod | None) -> tuple[str, ...]:
    """Lines to read and to paste; the first is a sentence."""
    if failure.cause not in (Cause.NO_ENTRY, Cause.OTHER_IDENTITY):
        return tuple(line for line in TRAITS[failure.cause].fix if line != _DOCTOR)
    if not expected_id.startswith(_SPIFFE):
        return _subject(failure, expected_id)
    return (*_wrong_account(expected_id, pod), *_entry(expected_id, process, pod))


def _subject(failure: Failure, expected_id: str) -> tuple[str, ...]:
    """A platform that issues tokens has no entries: who runs where decides what they say."""
    if failure.cause is Cause.NO_ENTRY:
        return ("let the platform issue tokens to this workload: its rights, and where it runs",)
    namespace, colon, account = expected_id.removeprefix(SUBJECT_PREFIX).partition(":")
    if not expected_id.startswith(SUBJECT_PREFIX) or colon == "":
        return (
            "run this where the platform issues that subject,",
            "or correct `identity.expected_id`, and promote",
        )
    return (
        f"run this as service account `{account}` in namespace `{namespace}`:",
        f"  deploy/deployment.yaml   spec.template.spec.serviceAccountName: {account}",
        "or correct `identity.expected_id`, and promote",
    )


def _wrong_account(expected_id: str, pod: ThisPod | None) -> tuple[str, ...]:
    """Where the expected identity names another service account than the pod has, that is the cause."""
    named = _KUBERNETES_ID.fullmatch(expected_id)
    if named is None or pod is None:
        return ("ask the SPIRE operator for this entry:",)
    namespace, account = named["namespace"], named["service_account"]
    if namespace != pod.namespace:
        return (
            f"the expected identity names namespace `{namespace}`; the pod runs in `{pod.namespace}`:",
            f"  deploy there, or, if `{pod.namespace}` is meant, ask the SPIRE operator for this entry:",
        )
    runs_as = pod.service_account
    if account != runs_as:
        return (
            f"the expected identity names service account `{account}`; the pod runs as `{runs_as}`:",
            f"  deploy/deployment.yaml   spec.template.spec.serviceAccountName: {account}",
            f"or, if `{runs_as}` is meant, ask the SPIRE operator for this entry:",
        )
    return ("namespace and service account are as expected; ask the SPIRE operator for this entry:",)


def _entry(expected_id: str, process: ThisProcess, pod: ThisPod | None) -> tuple[str, ...]:
    if pod is None:
        selectors = f"-selector unix:uid:{process.uid}"
    else:
        selectors = f"-selector k8s:ns:{pod.namespace} -selector k8s:sa:{pod.service_account}"
    return (
        f"  spire-server entry create -spiffeID {expected_id} \\",
        f"    -parentID <the node's id> {selectors}",
    )
