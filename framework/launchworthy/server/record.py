"""May this very wheel run here? Stage 3: the promotion record, against the platform's trust policy.

Besides the record: no function of the gate was replaced, and what is installed around the wheel is what its
`uv.lock` says, with nothing beside it that could run before.

Nothing of this needs an identity of our own, and no variable moves the trust policy in the real world. A
rehearsal demands a record only where its world file names a trust policy; development never does.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from launchworthy.attestation import (
    Facts,
    Purpose,
    UnverifiedRecord,
    VerifiedRecord,
    unverified_environment,
    verify_longest_lasting,
)
from launchworthy.attestation.content import find_dist_info, installed_content_digest
from launchworthy.attestation.installation import carried_lock, require_locked_installation
from launchworthy.attestation.records import installed_records, records_in
from launchworthy.attestation.statement import Subject
from launchworthy.attestation.trust_file import read_trust_policy
from launchworthy.server.parts import Parts
from launchworthy.server.untouched import require_untouched
from launchworthy.vocabulary import Environment, Problem, StartupRefused

STAGE = "record"


def verify(parts: Parts) -> VerifiedRecord | None:
    """Find a record that counts; None only where this world demands none. What is trusted stays in `parts`.

    Raises:
        StartupRefused: there is none, it is for something else, or the wheel is promoted for a real
            environment and this is the simulated world.
    """
    environment = parts.settings.environment
    there = trust_file(parts)
    if there is None:
        _refuse_promoted_wheel(parts)
        return None
    if not parts.project.installed:
        raise StartupRefused(STAGE, _not_a_wheel(environment))
    require_untouched()
    package = parts.project.root.parent
    dist_info = find_dist_info(package)
    found = list(installed_records(dist_info))
    if parts.settings.promotion.records is not None:
        found.extend(records_in(parts.settings.promotion.records))
    _refuse_foreign_records(environment, found)
    trust = read_trust_policy(there, environment=environment, outside=package)
    parts.trust = trust
    facts = Facts(
        environment=environment,
        digests={
            Subject.WHEEL: installed_content_digest(dist_info),
            Subject.MANIFESTS: parts.manifests.digest,
            Subject.POLICY: parts.compiled.digest,
            Subject.SETTINGS: parts.settings.digest,
        },
    )
    require_locked_installation(package.parent, carried_lock(package), sys.path)
    return verify_longest_lasting(
        found,
        trust=trust,
        facts=facts,
        purpose=Purpose.START,
        now=parts.now(),
        searched="the wheel and its records",
    )


def _refuse_foreign_records(environment: Environment, found: Sequence[UnverifiedRecord]) -> None:
    """Say at once that every record is for somewhere else; what is said unsigned may only refuse.

    Raises:
        StartupRefused: there are records, and none is for this environment.
    """
    named = sorted({unverified_environment(each).value for each in found})
    if named and environment.value not in named:
        problem = Problem(
            reason="record-for-another-environment",
            where=found[0].where,
            what=f"its record is for {' and '.join(named)}, and this is {environment}",
            fix=(f"promote it for {environment}, or start it where it was promoted for",),
        )
        raise StartupRefused(STAGE, problem)


def trust_file(parts: Parts) -> Path | None:
    """Where the platform's policy is: one place in the real world, what the world file names in the other."""
    if not parts.settings.environment.simulated:
        return parts.surroundings.trust
    return parts.settings.world.trust if parts.settings.world is not None else None


def _refuse_promoted_wheel(parts: Parts) -> None:
    """No variable turns an image that was promoted for the real world into a development server."""
    if not parts.project.installed:
        return
    records = installed_records(find_dist_info(parts.project.root.parent))
    if any(not unverified_environment(each).simulated for each in records):
        problem = Problem(
            reason="promoted-wheel",
            what=f"this wheel was promoted, and `{parts.settings.environment}` is the simulated world",
            fix=("start it where it was promoted for, or install a wheel without a record",),
        )
        raise StartupRefused(STAGE, problem)


def _not_a_wheel(environment: Environment) -> Problem:
    return Problem(
        reason="no-record",
        what=f"`{environment}` runs a promoted wheel only, and this is a source tree",
        fix=("launchworthy promote, then build the wheel with its record",),
    )
