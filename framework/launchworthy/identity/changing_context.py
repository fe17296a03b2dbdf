"""How does a TLS context change under those who keep it? Each connection begins in an inner one.

A live context can only add authorities, and reloading one breaks handshakes that are under way. So none is
ever changed: when the SVID or what we trust is another, the next connection gets one made for that.
"""

import ssl
from typing import Any


class ChangingContext(ssl.SSLContext):
    """Looks like one context to those who keep it; who derives from it says which one is right now."""

    _inner: ssl.SSLContext | None = None
    _protocols: tuple[str, ...] = ()

    def current(self) -> ssl.SSLContext:
        """The context of a connection that begins now."""
        raise NotImplementedError

    def set_alpn_protocols(self, alpn_protocols: Any) -> None:
        """Offer these on each connection from now on; clients say so before each of them."""
        protocols = tuple(alpn_protocols)
        if protocols != self._protocols:
            self._protocols, self._inner = protocols, None

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,  # noqa: FBT001, FBT002
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,  # noqa: ARG002 - nothing is ever resumed
    ) -> ssl.SSLObject:
        """Begin a connection in the context that is right now."""
        return self.current().wrap_bio(incoming, outgoing, server_side, server_hostname)

    def wrap_socket(self, sock: Any, *args: Any, **options: Any) -> ssl.SSLSocket:
        """The same over a blocking socket."""
        options.pop("session", None)
        return self.current().wrap_socket(sock, *args, **options)

    def _offering(self, inner: ssl.SSLContext) -> None:
        """Have a new inner context offer what this one does."""
        if self._protocols:
            inner.set_alpn_protocols(list(self._protocols))
