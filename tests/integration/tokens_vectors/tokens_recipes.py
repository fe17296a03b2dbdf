"""Make a token from a recipe of `tests/vectors/tokens.json`: a good one, changed in one way."""

import base64
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from joserfc.jwk import ECKey, OctKey

from launchworthy.testing.issuer import ABSENT, SimulatedIssuer
from launchworthy.testing.issuer_keys import SigningKey, generate_key

NOW = 1_800_000_000
AUDIENCE = "https://orders.acme.example/mcp"
ALGORITHMS = ("ES256", "RS256", "PS256", "Ed25519")
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class RecipeWorld:
    """Two issuers that publish good and bad keys, and an attacker with keys of its own."""

    def __init__(self) -> None:
        resources = {AUDIENCE: ("orders:read", "orders:write")}
        self.issuer = SimulatedIssuer(resources, algorithms=ALGORITHMS, clock=lambda: NOW)
        self.other = SimulatedIssuer(resources, clock=lambda: NOW)
        self.attacker = {name: generate_key(name, self.issuer.keys.active(name).kid) for name in ALGORITHMS}
        long_kid = generate_key("ES256", "k" * 256)
        self.signers: dict[str, SigningKey] = {
            **{name: self.issuer.keys.active(name) for name in ALGORITHMS},
            "long-kid": long_kid,
            "attacker": self.attacker["ES256"],
            "other-issuer": self.other.keys.active(),
        }
        self.symmetric = OctKey.generate_key(256)
        self.issuer.keys.also_publish(
            long_kid.public(), *bad_keys(), {**self.symmetric.as_dict(private=True), "kid": "symmetric"}
        )

    def start(self) -> None:
        self.issuer.start()
        self.other.start()

    def stop(self) -> None:
        self.issuer.stop()
        self.other.stop()

    def token(self, recipe: Mapping[str, Any]) -> str:
        signer = self.signers.get(recipe.get("sign", "ES256"), self.signers["ES256"])
        token = self.issuer.mint(
            claims=self._members(recipe.get("claims", {})),
            header=self._members(recipe.get("header", {})),
            key=signer,
            raw_header=self._raw(
                recipe, "header", {"alg": signer.algorithm, "kid": signer.kid, "typ": "at+jwt"}
            ),
            raw_payload=self._raw(recipe, "payload", self.good_claims()),
            signature=self._signature(recipe, signer),
        )
        token = self._tampered(token, recipe)
        if "noncanonical" in recipe:
            return self._noncanonical(recipe["noncanonical"])
        header, payload, signature = token.split(".")
        return recipe.get("compact", "{header}.{payload}.{signature}").format(
            header=header, payload=payload, signature=signature
        )

    def good_claims(self) -> dict[str, Any]:
        return claims_of(self.issuer.mint())

    def _members(self, members: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._value(value) for name, value in members.items()}

    def _value(self, value: Any) -> Any:
        match value:
            case {"$absent": True}:
                value = ABSENT
            case {"$now": offset}:
                value = NOW + offset
            case {"$repeat": [text, times]}:
                value = text * times
            case {"$own_jwk": True}:
                value = self.attacker["ES256"].public()
            case str():
                value = self._text(value)
            case list():
                value = [self._value(item) for item in value]
            case dict():
                value = self._members(value)
        return value

    def _text(self, text: str) -> str:
        names = {
            "<issuer>": self.issuer.issuer,
            "<ISSUER>": self.issuer.issuer.upper(),
            "<other issuer>": self.other.issuer,
            "<localhost issuer>": self.issuer.issuer.replace("127.0.0.1", "localhost"),
            "<audience>": AUDIENCE,
            **{f"<kid {name}>": self.issuer.keys.active(name).kid for name in ALGORITHMS},
        }
        for name, meaning in names.items():
            text = text.replace(name, meaning)
        return text

    def _raw(self, recipe: Mapping[str, Any], part: str, good: dict[str, Any]) -> bytes | None:
        text = recipe.get(f"raw_{part}")
        if text is None:
            return None
        without = {name: value for name, value in good.items() if name != "exp"}
        replacements = {
            "<members without exp>": json.dumps(without)[1:-1],
            "<members>": json.dumps(good)[1:-1],
            "<json>": json.dumps(good),
            "<digits>": "9" * 5000,
            "<digits400>": "9" * 400,
            "<open2000>": "[" * 2000,
        } | {f"<nest{depth}>": "[" * depth + "]" * depth for depth in (3, 4, 15, 16, 900, 2000)}
        for name, meaning in replacements.items():
            text = text.replace(name, meaning)
        return text.encode(recipe.get("encoding", "utf-8"))

    def _signature(self, recipe: Mapping[str, Any], signer: SigningKey) -> Callable[[bytes], bytes] | None:
        sign = recipe.get("sign", "ES256")
        if sign.startswith("hmac-"):
            return lambda data: hmac.digest(self._hmac_key(sign), data, "sha256")
        if "signature" in recipe:
            return lambda data: self._spoiled(recipe["signature"], signer, data)
        return None

    def _hmac_key(self, name: str) -> bytes:
        key = self.issuer.keys.active("RS256").private
        return {
            "hmac-pem": key.as_pem(private=False),
            "hmac-jwk": json.dumps(key.as_dict(private=False)).encode(),
            "hmac-empty": b"",
            "hmac-published": self.symmetric.raw_value,
        }[name]

    def _spoiled(self, name: str, signer: SigningKey, data: bytes) -> bytes:
        good = signer.sign(data)
        half = len(good) // 2
        r, s = int.from_bytes(good[:half]), int.from_bytes(good[half:])
        variants: dict[str, Callable[[], bytes]] = {
            "attacker": lambda: self.attacker[signer.algorithm].sign(data),
            "other-issuer": lambda: self.other.keys.active().sign(data),
            "zeros": lambda: bytes(len(good)),
            "ones": lambda: b"\xff" * len(good),
            "flipped": lambda: good[:-1] + bytes((good[-1] ^ 1,)),
            "flipped-first": lambda: bytes((good[0] ^ 0x80,)) + good[1:],
            "truncated": lambda: good[:-1],
            "extended": lambda: good + b"\x00",
            "doubled": lambda: good + good,
            "one-byte": lambda: b"\x00",
            "der": lambda: encode_dss_signature(r, s),
            "swapped": lambda: good[half:] + good[:half],
            "negated": lambda: good[:half] + (P256_ORDER - s).to_bytes(half),
            "r-zero": lambda: bytes(half) + good[half:],
            "s-zero": lambda: good[:half] + bytes(half),
            "order": lambda: P256_ORDER.to_bytes(half) * 2,
            "of-claims": lambda: signer.sign(data.partition(b".")[2]),
            "of-other": lambda: signer.sign(data + b"x"),
            "as-pkcs1": lambda: SigningKey(kid="", algorithm="RS256", private=signer.private).sign(data),
        }
        return variants[name]()

    @staticmethod
    def _tampered(token: str, recipe: Mapping[str, Any]) -> str:
        header, payload, signature = token.split(".")
        if "tampered" in recipe:
            changes = {name: NOW + value["$now"] if isinstance(value, dict) else value
                       for name, value in recipe["tampered"].items()}  # fmt: skip
            payload = encoded(json.dumps(claims_of(token) | changes).encode())
        if "tampered_header" in recipe:
            header = encoded(json.dumps(json.loads(decoded(header)) | recipe["tampered_header"]).encode())
        return f"{header}.{payload}.{signature}"

    def _noncanonical(self, part: str) -> str:
        """A token whose every byte is right, with one part spelled with unused bits set."""
        signer = self.signers["ES256"]
        head = {"alg": "ES256", "kid": signer.kid, "typ": "at+jwt"}
        parts = {"header": padded(head), "payload": padded(self.good_claims())}
        if part in parts:
            parts[part] = respelled(parts[part])
        data = f"{parts['header']}.{parts['payload']}".encode()
        signature = encoded(signer.sign(data))
        return f"{data.decode()}.{respelled(signature) if part == 'signature' else signature}"


def bad_keys() -> list[dict[str, Any]]:
    weak = rsa.generate_private_key(65537, 1024).public_key().public_numbers()  # noqa: S505 - to be refused
    good = generate_key("ES256", "x").public()
    return [
        {**generate_key("ES256", "for-encryption").public(), "use": "enc"},
        {"kty": "RSA", "kid": "weak", "n": encoded(weak.n.to_bytes(128)), "e": "AQAB"},
        {**good, "kid": "twice"},
        {**generate_key("ES256", "twice").public()},
        {**generate_key("ES256", "leaked").private.as_dict(private=True), "kid": "leaked"},
        {**ECKey.generate_key("P-384").as_dict(private=False), "kid": "other-curve"},
        {
            **{name: value for name, value in good.items() if name != "use"},
            "kid": "signs-only",
            "key_ops": ["sign"],
        },
    ]


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def claims_of(token: str) -> dict[str, Any]:
    claims = json.loads(decoded(token.split(".")[1]))
    assert isinstance(claims, dict)
    return claims


def padded(members: dict[str, Any]) -> str:
    """JSON whose base64url has unused bits at its end."""
    data = json.dumps(members).encode()
    return encoded(data if len(data) % 3 else data + b" ")


def respelled(text: str) -> str:
    """The same bytes, with an unused bit set in the last character."""
    assert len(text) % 4 != 0
    other = text[:-1] + BASE64URL[BASE64URL.index(text[-1]) + 1]
    assert decoded(other) == decoded(text)
    return other
