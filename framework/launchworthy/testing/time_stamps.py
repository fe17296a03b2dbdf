"""Whose clock is believed in the simulated world? An RFC 3161 time-stamp authority that says what it is.

It signs whatever it is asked to, at the time that its clock says. What it makes is what an authority on the
internet makes: a CMS SignedData over a TSTInfo, with the certificates in it.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from starlette.requests import Request
from starlette.responses import Response

from launchworthy.testing.listening import Listening, Listens
from launchworthy.testing.waiting import free_port

_SHA256: Final = "2.16.840.1.101.3.4.2.1"
_ECDSA_SHA256: Final = "1.2.840.10045.4.3.2"
_SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
_TST_INFO: Final = "1.2.840.113549.1.9.16.1.4"
_CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE: Final = "1.2.840.113549.1.9.16.2.47"
_POLICY: Final = "1.3.6.1.4.1.32473.1"  # of the enterprise number for examples
_DAYS: Final = 86_400
_BER_LONG: Final = 0x80


class SimulatedTimeStamps(Listens):
    """A time-stamp authority: use it as a context to have it listen.

    Attributes:
        url: where it is asked.
        asked: how many stamps were asked for.
    """

    def __init__(self, *, clock: Callable[[], float], life: float = 365 * _DAYS, eku: bool = True) -> None:
        """Make its root and its certificate.

        Args:
            clock: seconds since the epoch; what it says is what it stamps.
            life: seconds until its certificate expires.
            eku: whether its certificate is for time stamps.
        """
        self._clock = clock
        self._root_key = ec.generate_private_key(ec.SECP256R1())
        self._key = ec.generate_private_key(ec.SECP256R1())
        now = clock()
        root = _certificate("root", self._root_key.public_key(), "root", now, 3650 * _DAYS)
        self._root = root.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(
            self._root_key, hashes.SHA256()
        )
        usage = ExtendedKeyUsageOID.TIME_STAMPING if eku else ExtendedKeyUsageOID.CODE_SIGNING
        leaf = _certificate("clock", self._key.public_key(), "root", now, life)
        self._leaf = (
            leaf.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=True)
            .sign(self._root_key, hashes.SHA256())
        )
        self.asked = 0
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}/"

    @property
    def root_pem(self) -> bytes:
        """What a trust policy pins."""
        return self._root.public_bytes(serialization.Encoding.PEM)

    @property
    def chain(self) -> tuple[x509.Certificate, x509.Certificate]:
        """Its certificate, and the root."""
        return self._leaf, self._root

    def stamp(self, message: bytes) -> bytes:
        """A stamp over a message: DER of a TimeStampResp."""
        digest = hashes.Hash(hashes.SHA256())
        digest.update(message)
        return self._answer(digest.finalize(), nonce=None)

    def _listen(self) -> Listening:
        return Listening(lambda _: self._app(), self._port, name="time-stamp authority")

    def _app(self) -> Any:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            from rfc3161_client._rust import parse_timestamp_request  # noqa: PLC0415 - only here

            body = await Request(scope, receive).body()
            asked = parse_timestamp_request(body)
            self.asked += 1
            answer = await asyncio.to_thread(
                self._answer, bytes(asked.message_imprint.message), nonce=asked.nonce
            )
            await Response(answer, media_type="application/timestamp-reply")(scope, receive, send)

        return app

    def _answer(self, digest: bytes, *, nonce: int | None) -> bytes:
        moment = datetime.fromtimestamp(int(self._clock()), UTC).strftime("%Y%m%d%H%M%SZ")
        algorithm = _sequence(_oid(_SHA256))
        info = _sequence(
            _integer(1),
            _oid(_POLICY),
            _sequence(algorithm, _tlv(0x04, digest)),
            _integer(x509.random_serial_number()),
            _tlv(0x18, moment.encode("ascii")),
            b"" if nonce is None else _integer(nonce),
        )
        certificates = [each.public_bytes(serialization.Encoding.DER) for each in (self._leaf, self._root)]
        attributes = _set_of(
            _attribute(_CONTENT_TYPE, _oid(_TST_INFO)),
            _attribute(_MESSAGE_DIGEST, _tlv(0x04, _sha256(info))),
            _attribute(
                _SIGNING_CERTIFICATE, _sequence(_sequence(_sequence(_tlv(0x04, _sha256(certificates[0])))))
            ),
        )
        signature = self._key.sign(_tlv(0x31, attributes), ec.ECDSA(hashes.SHA256()))
        signer = _sequence(
            _integer(1),
            _sequence(self._leaf.issuer.public_bytes(), _integer(self._leaf.serial_number)),
            algorithm,
            _tlv(0xA0, attributes),
            _sequence(_oid(_ECDSA_SHA256)),
            _tlv(0x04, signature),
        )
        signed = _sequence(
            _integer(3),
            _tlv(0x31, algorithm),
            _sequence(_oid(_TST_INFO), _tlv(0xA0, _tlv(0x04, info))),
            _tlv(0xA0, _set_of(*certificates)),
            _tlv(0x31, signer),
        )
        token = _sequence(_oid(_SIGNED_DATA), _tlv(0xA0, signed))
        return _sequence(_sequence(_integer(0)), token)


def _certificate(
    name: str, key: ec.EllipticCurvePublicKey, issuer: str, now: float, life: float
) -> x509.CertificateBuilder:
    def named(unit: str) -> x509.Name:
        return x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "SIMULATED, trust nothing"),
                x509.NameAttribute(NameOID.COMMON_NAME, f"time stamps, {unit}"),
            ]
        )

    return (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.fromtimestamp(int(now - 3650 * _DAYS), UTC))
        .not_valid_after(datetime.fromtimestamp(int(now + life), UTC))
        .add_extension(
            x509.KeyUsage(
                digital_signature=name != "root",
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=name == "root",
                crl_sign=name == "root",
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    )


def _sha256(content: bytes) -> bytes:
    digest = hashes.Hash(hashes.SHA256())
    digest.update(content)
    return digest.finalize()


def _tlv(tag: int, content: bytes) -> bytes:
    """Tag, length, value (X.690 §8.1), in DER."""
    if len(content) < _BER_LONG:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, _BER_LONG | len(length)]) + length + content


def _sequence(*parts: bytes) -> bytes:
    return _tlv(0x30, b"".join(parts))


def _set_of(*parts: bytes) -> bytes:
    """The content of a SET OF, sorted as DER wants it; its tag differs with the place."""
    return b"".join(sorted(parts))


def _attribute(kind: str, value: bytes) -> bytes:
    return _sequence(_oid(kind), _tlv(0x31, value))


def _integer(value: int) -> bytes:
    return _tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _oid(dotted: str) -> bytes:
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    content = bytearray([first * 40 + second])
    for arc in rest:
        digits = [arc & 0x7F]
        while arc := arc >> 7:
            digits.append(arc & 0x7F | _BER_LONG)
        content += bytes(reversed(digits))
    return _tlv(0x06, bytes(content))
