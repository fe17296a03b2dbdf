"""What does this process know about itself, for a doctor to show? Facts of the process and of its pod."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from launchworthy.identity.cause import SourceError, printable
from launchworthy.identity.projected import MAX_TOKEN_BYTES, unverified_subject

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
SUBJECT_PREFIX = "system:serviceaccount:"
"""Of the `sub` of a token about a pod; namespace and service account follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThisProcess:
    """What an agent can see of us.

    Attributes:
        uid: effective.
        gid: effective.
        executable: the interpreter.
    """

    uid: int
    gid: int
    executable: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ThisPod:
    """What Kubernetes mounted about us; not verified.

    Attributes:
        namespace: of the pod.
        service_account: of the pod.
    """

    namespace: str
    service_account: str


def this_process() -> ThisProcess:
    """Look."""
    return ThisProcess(uid=os.geteuid(), gid=os.getegid(), executable=sys.executable)


def this_pod(directory: Path = SERVICE_ACCOUNT) -> ThisPod | None:
    """Look; None where there is no Kubernetes, or where it mounts no token."""
    try:
        content = (directory / "token").read_bytes()[: MAX_TOKEN_BYTES + 1]
        subject = unverified_subject(content)
    except (OSError, SourceError):
        return None
    namespace, colon, name = subject.removeprefix(SUBJECT_PREFIX).partition(":")
    if not subject.startswith(SUBJECT_PREFIX) or colon == "":
        return None
    return ThisPod(namespace=printable(namespace), service_account=printable(name))
