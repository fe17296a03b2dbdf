"""Who seals the questions to people, and who remembers that their answers were used?

A question that one replica asks may be answered at another. So where several may run, they share a key and a
store, or the server does not start.
"""

import asyncio

import structlog

from launchworthy.approval import Approvals, EphemeralKeys, Sealed, SealingKeys, StateSeal
from launchworthy.approval.answerable import require_somebody_to_ask
from launchworthy.approval.seal import PURPOSE
from launchworthy.server.parts import Parts
from launchworthy.settings import KeyRing
from launchworthy.state.replicas import require_answers_shared
from launchworthy.vocabulary import ProblemError

STAGE = "state"
KEY_SECONDS = 2.0
_log = structlog.get_logger()


def open_approvals(parts: Parts) -> None:
    """Have questions sealed, and their answers remembered.

    Raises:
        StartupRefused: a tool asks somebody, and an answer could count twice or nowhere.
        ProblemError: the key cannot be used.
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
    reference = parts.settings.state.approval_key
    if reference is None:
        return EphemeralKeys(parts.surroundings.random_bits)
    ring = KeyRing.of(reference, purpose=PURPOSE, environment=parts.settings.environment)
    parts.keep(_follow(ring), "approval-key")
    return ring


async def _follow(ring: KeyRing) -> None:
    """Use the keys of the file as soon as they are there; a bad file changes nothing, and is said once."""
    complained = False
    while True:
        await asyncio.sleep(KEY_SECONDS)
        try:
            if ring.reread():
                _log.info("the key of approvals has changed", kid=ring.newest.kid)
            complained = False
        except ProblemError as error:
            if not complained:
                _log.error("the key of approvals cannot be read; the last good one stays", problem=str(error))
            complained = True
