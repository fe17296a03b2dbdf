"""Which keys does the approvers' issuer have? Those that the trust policy pins, or those it publishes now."""

import asyncio

from launchworthy.approval.proved.proof import ALGORITHMS, Keys
from launchworthy.attestation import Approvers
from launchworthy.tokens.discovery import MetadataError, discover
from launchworthy.tokens.endpoint import EndpointError, read_endpoint
from launchworthy.tokens.fetch import Fetcher, FetchError, system_network
from launchworthy.tokens.key_import import KeySetError, import_keys
from launchworthy.tokens.strict_json import StrictJSONError, parse_object
from launchworthy.vocabulary import Problem, ProblemError

_MAX_PINNED = 64 * 1024
_MAX_DEPTH = 16


def keys_of(approvers: Approvers, *, simulated: bool) -> Keys:
    """The keys that proofs are verified with.

    Args:
        approvers: of the trust policy.
        simulated: whether this is the simulated world, which ends at this machine.

    Raises:
        ProblemError: `approver-keys-unavailable`.
    """
    if approvers.key_sets:
        return pinned_keys(approvers)
    try:
        return asyncio.run(_published(approvers.issuer, simulated=simulated))
    except (FetchError, MetadataError, EndpointError, KeySetError, TimeoutError) as error:
        raise _unavailable(approvers, error) from None


def pinned_keys(approvers: Approvers) -> Keys:
    """The keys that the trust policy pins; nobody is asked.

    Raises:
        ProblemError: `approver-keys-unavailable`: it pins none, or they cannot be read.
    """
    try:
        documents = [
            parse_object(each, max_depth=_MAX_DEPTH, max_bytes=_MAX_PINNED) for each in approvers.key_sets
        ]
        rings = [import_keys(document, ALGORITHMS).usable for document in documents]
    except (KeySetError, StrictJSONError) as error:
        raise _unavailable(approvers, error) from None
    keys = {kid: key for ring in rings for kid, key in ring.items()}
    if not keys:
        raise _unavailable(approvers, KeySetError("none is pinned"))
    return keys


def _unavailable(approvers: Approvers, error: Exception) -> ProblemError:
    why = "no answer in time" if isinstance(error, TimeoutError) else str(error)
    what = f"the keys of the approvers' issuer `{approvers.issuer}` cannot be had: {why}"
    fix = ('ask it again, or let the platform pin its key set: keys = ["….json"] in trust.toml',)
    return ProblemError(Problem(reason="approver-keys-unavailable", what=what, fix=fix))


async def _published(issuer: str, *, simulated: bool) -> Keys:
    own = read_endpoint(issuer, allow_loopback_http=simulated, query=False)
    network = system_network()
    fetcher = Fetcher(own, network, loopback=simulated)
    async with asyncio.timeout(network.seconds):
        address = await discover(fetcher, "jwks_uri", issuer, allow_loopback_http=simulated)
        place = read_endpoint(address, allow_loopback_http=simulated, query=True)
        return import_keys(await fetcher.get(place), ALGORITHMS).usable
