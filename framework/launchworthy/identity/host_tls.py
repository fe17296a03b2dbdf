"""How does this workload show its SVID to a server that has a name and no SPIFFE ID? A store, a database.

The server is verified as any host is: by its name, to the authorities of the operator. Each connection shows
the SVID that is in force when it begins; without one it is not begun.
"""

import ssl
from pathlib import Path
from typing import Any

from launchworthy.identity.key_files import load_identity
from launchworthy.identity.workload import WorkloadIdentity, X509Identity


def host_tls(identity: WorkloadIdentity, *, authorities: Path | None) -> "HostContext":
    """A context for one client, for as long as it lives.

    Args:
        identity: ours; an X.509 one.
        authorities: a PEM file of who vouches for the host; None is whom this machine trusts.

    Raises:
        OSError: the file cannot be read, or holds no certificate.
    """
    _verifying(authorities)  # now, and not at the first connection
    context = HostContext(ssl.PROTOCOL_TLS_CLIENT)
    context.identity, context.authorities = identity, authorities
    return context


class HostContext(ssl.SSLContext):
    """Looks like one context to those who keep it, and shows the right SVID on each connection."""

    identity: WorkloadIdentity
    authorities: Path | None
    _inner: ssl.SSLContext | None = None
    _made_of: X509Identity | None = None
    _protocols: tuple[str, ...] = ()

    def set_alpn_protocols(self, alpn_protocols: Any) -> None:
        """Offer these on each connection from now on."""
        self._protocols = tuple(alpn_protocols)
        self._made_of = None

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,  # noqa: FBT001, FBT002
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,  # noqa: ARG002 - nothing is ever resumed
    ) -> ssl.SSLObject:
        """Begin a connection with the SVID in force.

        Raises:
            IdentityUnavailable: there is none.
        """
        return self._current().wrap_bio(incoming, outgoing, server_side, server_hostname)

    def wrap_socket(self, sock: Any, *args: Any, **options: Any) -> ssl.SSLSocket:
        """The same over a blocking socket.

        Raises:
            IdentityUnavailable: there is none.
        """
        options.pop("session", None)
        return self._current().wrap_socket(sock, *args, **options)

    def _current(self) -> ssl.SSLContext:
        identity = self.identity.x509()
        if self._inner is None or self._made_of is not identity:
            inner = _verifying(self.authorities)
            load_identity(inner, identity)
            if self._protocols:
                inner.set_alpn_protocols(list(self._protocols))
            self._inner, self._made_of = inner, identity
        return self._inner


def _verifying(authorities: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=None if authorities is None else str(authorities))
    context.minimum_version = ssl.TLSVersion.TLSv1_3  # 1.2 would show our certificate to whoever listens
    context.options |= ssl.OP_NO_TICKET
    return context
