"""How does this workload show its SVID to a server that has a name and no SPIFFE ID? A store, a database.

The server is verified as any host is: by its name, to the authorities of the operator. Each connection shows
the SVID that is in force when it begins; without one it is not begun.
"""

import ssl
from pathlib import Path

from launchworthy.identity.changing_context import ChangingContext
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


class HostContext(ChangingContext):
    """Shows the right SVID on each connection."""

    identity: WorkloadIdentity
    authorities: Path | None
    _made_of: X509Identity | None = None

    def current(self) -> ssl.SSLContext:
        """The context for the SVID in force.

        Raises:
            IdentityUnavailable: there is none, and no connection is begun.
        """
        identity = self.identity.x509()
        if self._inner is None or self._made_of is not identity:
            inner = _verifying(self.authorities)
            load_identity(inner, identity)
            self._offering(inner)
            self._inner, self._made_of = inner, identity
        return self._inner


def _verifying(authorities: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=None if authorities is None else str(authorities))
    context.minimum_version = ssl.TLSVersion.TLSv1_3  # 1.2 would show our certificate to whoever listens
    context.options |= ssl.OP_NO_TICKET
    return context
