"""Do the manifests and the settings speak of the same credentials? Pure; at the start, and at promotion.

1. what a manifest borrows is in the settings, and what the settings lend is borrowed by some manifest
2. who lends scopes is asked for some, and who knows none for none: a scope that nobody narrows is no promise
3. nobody is asked for longer than it lends, or for less than it can
"""

from collections.abc import Iterator, Mapping

from launchworthy.manifest import CredentialAllowance, Manifests, TargetManifest
from launchworthy.settings import SCOPED, CredentialSettings
from launchworthy.vocabulary import Problem, ProblemError

LEAST_SECONDS: Mapping[str, int] = {"aws-sts": 900}
"""What a broker lends for at least, where it does not take less."""


def check_credentials(manifests: Manifests, lent: Mapping[str, CredentialSettings]) -> None:
    """Return if they agree.

    Raises:
        ProblemError: with everything on which they do not.
    """
    problems = tuple(disagreements(manifests, lent))
    if problems:
        raise ProblemError(*problems)


def disagreements(manifests: Manifests, lent: Mapping[str, CredentialSettings]) -> Iterator[Problem]:
    """Everything on which manifests and settings do not agree."""
    borrowed: set[str] = set()
    for target in manifests.targets.values():
        for name, allowance in target.credentials.items():
            borrowed.add(name)
            if name not in lent:
                yield _not_lent(target, name)
            else:
                yield from _unfit(target, name, allowance, lent[name])
    for name in sorted(lent.keys() - borrowed):
        yield Problem(
            reason="credential-not-borrowed",
            what=f"[credentials.{name}] is configured, and no manifest borrows it",
            fix=(f"take it out, or say in the manifest who needs it: credentials.{name} = {{ … }}",),
            field=f"credentials.{name}",
        )


def _not_lent(target: TargetManifest, name: str) -> Problem:
    return Problem(
        reason="credential-not-lent",
        where=target.where,
        what=f"`{target.name}` borrows `{name}`, and the settings do not say who lends it",
        fix=(
            "add to config/<environment>.toml:",
            f"    [credentials.{name}]",
            '    broker = "token-exchange"',
        ),
        field=f"credentials.{name}",
    )


def _unfit(
    target: TargetManifest, name: str, allowance: CredentialAllowance, lent: CredentialSettings
) -> Iterator[Problem]:
    scoped = lent.broker in SCOPED
    least = LEAST_SECONDS.get(lent.broker, 0)
    wrong = None
    if scoped and not allowance.scopes:
        wrong = f"asks `{name}` for no scopes, and `{lent.broker}` would give whatever its issuer likes"
        fix = "name the scopes that the call needs"
    elif allowance.scopes and not scoped:
        wrong = f"asks `{name}` for scopes, and `{lent.broker}` knows none"
        fix = "take them out: what such a credential may do is set where it is kept"
    elif allowance.ttl < least:
        wrong = f"asks `{name}` for {allowance.ttl} s, and `{lent.broker}` lends for {least} s at least"
        fix = f'ttl = "{least // 60}m", or another broker'
    if wrong is not None:
        yield Problem(
            reason="credential-unfit",
            where=target.where,
            what=f"`{target.name}` {wrong}",
            fix=(fix,),
            field=f"credentials.{name}",
        )
