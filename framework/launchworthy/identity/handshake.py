"""What happens in one handshake? OpenSSL's own part, then ours, before anything is read or written.

OpenSSL asks for a certificate and checks it against all authorities that are trusted at all, since it knows
no better. Only then it is known whose certificate it is, and `verify_peer` decides by that trust domain's
authorities alone. Who is refused never reaches the application.
"""

import ssl
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from cryptography import x509

from launchworthy.identity.peer_session import PeerSession
from launchworthy.identity.peers import PeerRejected
from launchworthy.vocabulary import Reason

_CERTIFICATE_EXPIRED = 10  # X509_V_ERR_CERT_HAS_EXPIRED
_DER = 2  # `_ssl`'s own constant for the form of a certificate, before Python 3.13
_NO_CERTIFICATE = "PEER_DID_NOT_RETURN_A_CERTIFICATE"
_PLAIN_HTTP = frozenset({"HTTP_REQUEST", "HTTPS_PROXY_REQUEST"})
_AGAIN = (ssl.SSLWantReadError, ssl.SSLWantWriteError)
_ANSWER = b"this port speaks TLS, with a client certificate: connect by https\n"
PLAIN_ANSWER = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\ncontent-length: "
    + b"%d\r\n\r\n%s" % (len(_ANSWER), _ANSWER)
)

Told = Callable[[PeerRejected], None]


class Judge(Protocol):
    """Decides about the peers of one context, and counts handshakes that are on their way."""

    def admit(self, chain: tuple[x509.Certificate, ...]) -> PeerSession:
        """Let a peer in.

        Raises:
            PeerRejected: it is not.
        """

    def reject(self, rejected: PeerRejected) -> None:
        """Take note of one who was not let in."""

    def ended(self, handshake: object) -> None:
        """A handshake ended, however."""


class SvidContext(ssl.SSLContext):
    """A context with one certificate, made anew for each; knows who judges its peers."""

    judge: Judge


class SvidObject(ssl.SSLObject):
    """One TLS connection.

    Attributes:
        peer: who is at the other end; set by the handshake.
    """

    judge: Judge
    incoming: ssl.MemoryBIO
    outgoing: ssl.MemoryBIO
    peer: PeerSession | None = None
    _answered: bool = False

    def do_handshake(self) -> None:
        """Go on with the handshake; at its end, verify the peer.

        Raises:
            SSLError: it failed, or the peer is not let in.
        """
        if self._answered:
            raise ssl.SSLError("plain HTTP was answered")
        try:
            super().do_handshake()
        except _AGAIN:
            raise
        except ssl.SSLError as error:
            self.judge.ended(self)
            self.judge.reject(rejection_of(error))
            if error.reason in _PLAIN_HTTP and self.server_side:
                self._answer_plain_http()
            raise
        self.judge.ended(self)
        self.peer = judged(self.judge, presented_chain(self))

    def _answer_plain_http(self) -> None:
        """Say what this port speaks, in plain text; the handshake's time bounds how long it is listened to.

        Raises:
            SSLWantReadError: always; that is how what stands in the buffer gets sent.
        """
        self._answered = True
        self.outgoing.write(PLAIN_ANSWER)
        raise ssl.SSLWantReadError


class SvidSocket(ssl.SSLSocket):
    """The same over a blocking socket.

    Attributes:
        peer: who is at the other end; set by the handshake.
    """

    peer: PeerSession | None = None

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - the library's signature
        """Shake hands, and verify the peer.

        Raises:
            SSLError: it failed, or the peer is not let in.
        """
        judge = judge_of(self.context)
        try:
            super().do_handshake(block)
        except _AGAIN:
            raise
        except ssl.SSLError as error:
            judge.reject(rejection_of(error))
            raise
        self.peer = judged(judge, presented_chain(self))


class RefusedObject(ssl.SSLObject):
    """A connection for which there is no certificate: its handshake fails.

    Attributes:
        why: as one who connects reads it.
    """

    why: str = "there is no identity to show"

    def do_handshake(self) -> None:
        """Fail.

        Raises:
            SSLError: always.
        """
        raise ssl.SSLError(self.why)


def judge_of(context: ssl.SSLContext) -> Judge:
    """Who judges the peers of this context.

    Raises:
        SSLError: it is none of ours.
    """
    if not isinstance(context, SvidContext):
        raise ssl.SSLError("this context has nobody who judges peers")
    return context.judge


def judged(judge: Judge, chain: tuple[x509.Certificate, ...]) -> PeerSession:
    """Let a peer in, or fail as OpenSSL does.

    Raises:
        SSLCertVerificationError: it is not let in.
    """
    try:
        return judge.admit(chain)
    except PeerRejected as rejected:
        judge.reject(rejected)
        raise ssl.SSLCertVerificationError(str(rejected)) from None


def presented_chain(connection: ssl.SSLObject | ssl.SSLSocket) -> tuple[x509.Certificate, ...]:
    """What the peer showed, leaf first; unverified.

    Python has it in public since 3.13 only; before, every test of a handshake pins the older place.
    """
    public: Callable[[], Iterable[bytes]] | None = getattr(connection, "get_unverified_chain", None)
    if public is not None:
        return _parsed(public())
    private: Any = connection._sslobj  # type: ignore[union-attr]  # noqa: SLF001 - see above
    shown = private.get_unverified_chain() or ()
    return _parsed(each.public_bytes(_DER) for each in shown)


def _parsed(chain: Iterable[bytes]) -> tuple[x509.Certificate, ...]:
    try:
        return tuple(x509.load_der_x509_certificate(each) for each in chain)
    except ValueError as error:  # OpenSSL reads some certificates that others do not
        raise ssl.SSLCertVerificationError(f"the peer's certificate cannot be read ({error})") from None


def rejection_of(error: ssl.SSLError) -> PeerRejected:
    """What OpenSSL found, in our words."""
    if error.reason in _PLAIN_HTTP:
        return PeerRejected(Reason.PEER_TLS, "plain HTTP came to a port that speaks TLS")
    if error.reason == _NO_CERTIFICATE:
        return PeerRejected(Reason.PEER_MISSING, "the peer showed no certificate")
    if isinstance(error, ssl.SSLCertVerificationError):
        said = error.verify_message or "not verified"
        expired = error.verify_code == _CERTIFICATE_EXPIRED
        reason = Reason.PEER_EXPIRED if expired else Reason.PEER_UNTRUSTED
        return PeerRejected(reason, f"the peer's certificate is refused ({said})")
    return PeerRejected(Reason.PEER_TLS, f"the handshake failed ({error.reason or type(error).__name__})")
