"""Who seals the questions to people, and who remembers that their answers were used?

A question that one replica asks may be answered at another. So where several may run, they share a key and a
store, or the server does not start.
"""

from launchworthy.approval import Approvals, EphemeralKeys, Sealed, SealingKeys, StateSeal
from launchworthy.approval.answerable import require_somebody_to_ask
from launchworthy.server.own_keys import follow
from launchworthy.server.parts import Parts
from launchworthy.state.replicas import require_answers_shared

STAGE = "state"


def open_approvals(parts: Parts) -> None:
    """Have questions sealed, and their answers remembered.

    Raises:
        StartupRefused: a tool asks somebody, and an answer could count twice or nowhere.
    """
    here = [target for target in parts.manifests.targets.values() if target.runs_in(parts.rehearsed)]
    require_answers_shared(parts.settings, here)
    require_somebody_to_ask(parts.settings, here)
    parts.approval_keys = _keys(parts)
    parts.approvals = Approvals(sealed(parts, Sealed.QUESTION), parts.store, parts.surroundings.random_bits)


def sealed(parts: Parts, kind: Sealed) -> StateSeal:
    """What seals things of this kind for this server."""
    resource = parts.settings.server.resource
    return StateSeal(parts.approval_keys, resource, kind, parts.surroundings.random_bits)


def _keys(parts: Parts) -> SealingKeys:
    ring = parts.own_keys.approval
    if ring is None:
        return EphemeralKeys(parts.surroundings.random_bits)
    parts.keep(follow(ring, what="the key of approvals", take=lambda _: None), "approval-key")
    return ring
