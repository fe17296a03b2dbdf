"""Who signs a record, and with what? A promoter of the trust policy, with an identity that is fetched now.

A workload signs with its X.509-SVID, and the trust policy's authorities stamp the signature. A workflow signs
by way of Sigstore (`keyless_signing`), which dates it. Neither has a key that outlives this process.
"""

import asyncio
import os
from collections.abc import Callable

from launchworthy.attestation import SpiffeId, TrustPolicy, Workflow, X509SvidSigner, sign_payload
from launchworthy.identity.spiffe import SpiffeIdentity
from launchworthy.promotion.keyless_signing import keyless_sealing
from launchworthy.promotion.stamping import stamper_of
from launchworthy.vocabulary import SIMULATED_TRUST_DOMAIN, Environment, Problem, ProblemError

_DEADLINE = 15.0

Sealing = Callable[[bytes], bytes]
"""From an in-toto Statement to the signed envelope: the bytes of the file."""


def the_promoter(trust: TrustPolicy, environment: Environment, identity: str | None) -> SpiffeId | Workflow:
    """Who is to sign.

    Args:
        trust: the platform's.
        environment: for which is signed.
        identity: as its name stands in the policy; may be left out where that lists one promoter.

    Raises:
        ProblemError: nobody said which one, or it is none.
    """
    table = trust.of(environment)
    promoters: dict[str, SpiffeId | Workflow] = {str(each): each for each in table.workflows}
    promoters |= {each: SpiffeId.parse(each) for each in table.promoters}
    named = sorted(promoters)
    if identity is None and len(named) > 1:
        what = f"lists {len(named)} promoters for `{environment}`, and nobody said which one signs"
        fix = (f"launchworthy attest … --identity {named[0]}",)
        raise ProblemError(Problem(reason="promoter-not-said", where=trust.where, what=what, fix=fix))
    wanted = named[0] if identity is None else identity
    if wanted not in promoters:
        what = f"does not list `{wanted}` as a promoter of `{environment}`"
        fix = ("let the promoter of this environment sign",)
        raise ProblemError(Problem(reason="record-not-trusted", where=trust.where, what=what, fix=fix))
    return promoters[wanted]


def sealing_of(
    promoter: SpiffeId | Workflow,
    trust: TrustPolicy,
    environment: Environment,
    *,
    endpoint: str | None,
    clock: Callable[[], float],
) -> Sealing:
    """What signs, with the identity that it needs at hand.

    Args:
        promoter: of the trust policy.
        trust: the platform's.
        environment: for which is signed.
        endpoint: of the Workload API, where the promoter is a workload.
        clock: seconds since the epoch.

    Raises:
        ProblemError: there is no identity.
    """
    if isinstance(promoter, Workflow):
        return keyless_sealing(trust, clock=clock)
    signer = _signer(endpoint, promoter, clock)
    stamper = stamper_of(trust.of(environment).stamp_authorities, where=trust.where, clock=clock)
    return lambda payload: sign_payload(payload, signer, stamper=stamper)


def _signer(endpoint: str | None, expected: SpiffeId, clock: Callable[[], float]) -> X509SvidSigner:
    if endpoint is None:
        what = "nobody said where the Workload API is, from which the promoter's identity comes"
        fix = ("--endpoint unix:///…, or set SPIFFE_ENDPOINT_SOCKET",)
        raise ProblemError(Problem(reason="no-identity", what=what, fix=fix))
    return asyncio.run(_fetch_signer(endpoint, expected, clock))


async def _fetch_signer(endpoint: str, expected: SpiffeId, clock: Callable[[], float]) -> X509SvidSigner:
    simulated = expected.trust_domain == SIMULATED_TRUST_DOMAIN
    source = SpiffeIdentity(
        endpoint=endpoint,
        expected_id=str(expected),
        trust_domains=(expected.trust_domain,),
        socket_owner_uids=(0, os.getuid()) if simulated else (0,),
        call_timeout=3.0,
        clock=clock,
    )
    try:
        await source.start(_DEADLINE)
        held = source.x509()
        return X509SvidSigner(private_key=held.private_key, certificates=held.chain)
    finally:
        await source.aclose()
