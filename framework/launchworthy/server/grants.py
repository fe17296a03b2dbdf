"""Who may approve a grant here? The platform's trust policy, as it was read when this server started.

Nobody is asked when a grant comes: the keys that its proofs verify with lie beside the trust policy. Where no
trust policy was read, or it names nobody, no grant lifts anything.
"""

from launchworthy.approval.proved.grant import verify_grant
from launchworthy.approval.proved.keys import pinned_keys
from launchworthy.attestation import Approvers
from launchworthy.attestation.trust_file import read_trust_policy
from launchworthy.server.parts import Parts
from launchworthy.state.control import Entry
from launchworthy.state.control.control_list import Judge
from launchworthy.vocabulary import Environment, Problem, ProblemError


def grant_judge(parts: Parts) -> Judge:
    """Says who has approved a grant.

    Raises:
        ProblemError: the keys of those who may approve cannot be used.
    """
    people = _approvers(parts)
    if people is None:
        return _refuse_all
    keys, server = pinned_keys(people), parts.settings.server.resource

    def judge(entry: Entry) -> tuple[str, ...]:
        found = verify_grant(entry, server=server, approvers=people, keys=keys, now=parts.now())
        return tuple(sorted({each.name for each in found}))

    return judge


def _approvers(parts: Parts) -> Approvers | None:
    environment, world = parts.settings.environment, parts.settings.world
    if environment.simulated and world is not None and world.break_glass is not None:
        rehearsed = Environment.REHEARSAL
        trust = read_trust_policy(world.break_glass, environment=rehearsed, outside=parts.project.root)
        return trust.of(rehearsed).break_glass
    return None if parts.trust is None else parts.trust.of(environment).break_glass


def _refuse_all(entry: Entry) -> tuple[str, ...]:
    raise ProblemError(
        Problem(
            reason="grant-not-approved",
            where=f"grant `{entry.id}`",
            what="no trust policy of this server says who may approve it",
            fix=("the platform adds `break_glass_approvers` to its trust.toml, and the server starts anew",),
        )
    )
