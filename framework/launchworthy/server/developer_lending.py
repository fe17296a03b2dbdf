"""How does a developer's own sign-in come to lend? Loads authlib; development only, and only where named."""

import asyncio
import time
from collections.abc import Callable

from launchworthy.credentials import CredentialBroker
from launchworthy.credentials.brokers.developer import Developer
from launchworthy.credentials.person_sign_in import PersonSignIn
from launchworthy.credentials.token_server import TokenServer
from launchworthy.server.parts import Parts
from launchworthy.server.terminal import sign_in_printer
from launchworthy.settings import CredentialSettings
from launchworthy.tokens.endpoint import read_endpoint
from launchworthy.tokens.fetch import Network
from launchworthy.vocabulary import Environment


def developer(
    parts: Parts, network: Network, name: str, credential: CredentialSettings, *, new_id: Callable[[], str]
) -> CredentialBroker:
    """The broker of one table.

    Raises:
        EndpointError: the issuer is one that we do not connect to.
    """
    if parts.settings.environment is not Environment.DEVELOPMENT:
        raise RuntimeError("the settings refuse a developer's sign-in here")
    issuer = str(credential.issuer)
    local = sandbox_is_local(issuer)
    server = TokenServer(
        issuer, endpoint=None, proof=None, network=network, simulated=local, monotonic=time.monotonic
    )
    way = PersonSignIn(
        server=server,
        client=str(credential.client),
        resource=str(credential.audience),
        local=local,
        show=sign_in_printer(name),
        sleep=asyncio.sleep,
    )
    return Developer(server, way, clock=parts.surroundings.clock, new_id=new_id)


def sandbox_is_local(url: str) -> bool:
    """Whether a sandbox is on this machine; if not, it is judged as any address of the real world is.

    Raises:
        EndpointError: we do not connect there.
    """
    return read_endpoint(url, allow_loopback_http=True, query=True).loopback
