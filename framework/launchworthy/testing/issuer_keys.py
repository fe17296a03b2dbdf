"""Which keys does the simulated issuer sign with, and which does it publish?

Rotation is three steps, as with real ones: `add` publishes a key, `activate` signs with it, `withdraw`
takes it out of the set. What a test publishes beside them (`also_publish`) goes out as it stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

ALGORITHMS: Final = ("ES256", "RS256", "Ed25519", "PS256")
"""What the simulated issuer can sign with; the first is the default."""

_RSA_BITS: Final = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A private key, for one algorithm, under one name."""

    kid: str
    algorithm: str
    private: ECKey | RSAKey | OKPKey

    def sign(self, signing_input: bytes) -> bytes:
        """Sign with this key's algorithm."""
        return JWSRegistry.algorithms[self.algorithm].sign(signing_input, self.private)

    def public(self) -> dict[str, Any]:
        """The JWK that is published."""
        jwk = cast("dict[str, Any]", self.private.as_dict(private=False))
        return jwk | {"kid": self.kid, "alg": self.algorithm, "use": "sig"}


def generate_key(algorithm: str, kid: str) -> SigningKey:
    """Make a key.

    Raises:
        ValueError: the simulated issuer has no such algorithm.
    """
    match algorithm:
        case "ES256":
            return SigningKey(kid=kid, algorithm=algorithm, private=ECKey.generate_key("P-256"))
        case "RS256" | "PS256":
            return SigningKey(kid=kid, algorithm=algorithm, private=RSAKey.generate_key(_RSA_BITS))
        case "Ed25519":
            return SigningKey(kid=kid, algorithm=algorithm, private=OKPKey.generate_key("Ed25519"))
        case _:
            raise ValueError(f"the simulated issuer signs with {', '.join(ALGORITHMS)}, not `{algorithm}`")


class SigningKeys:
    """The issuer's keys: published ones, and one active for each algorithm."""

    def __init__(self, algorithms: tuple[str, ...]) -> None:
        """Generate one active key for each algorithm; the first algorithm is the default."""
        if not algorithms:
            raise ValueError("an issuer signs with at least one algorithm")
        self.default_algorithm = algorithms[0]
        self._published: dict[str, SigningKey] = {}
        self._active: dict[str, SigningKey] = {}
        self._extra: tuple[Mapping[str, Any], ...] = ()
        self._made = 0
        for algorithm in algorithms:
            self.activate(self.add(algorithm))

    def add(self, algorithm: str | None = None) -> str:
        """Generate and publish a key that signs nothing yet; returns its `kid`."""
        self._made += 1
        algorithm = self.default_algorithm if algorithm is None else algorithm
        key = generate_key(algorithm, f"{algorithm.lower()}-{self._made}")
        self._published = {**self._published, key.kid: key}
        return key.kid

    def activate(self, kid: str) -> None:
        """Sign with this key from now on, whatever uses its algorithm."""
        key = self._published[kid]
        self._active = {**self._active, key.algorithm: key}

    def withdraw(self, kid: str) -> None:
        """Publish this key no longer; if it was active, it still signs, like a stolen one."""
        self._published = {name: key for name, key in self._published.items() if name != kid}

    def rotate(self, algorithm: str | None = None) -> str:
        """Add and activate a key, and leave the old one published; returns the new `kid`."""
        kid = self.add(algorithm)
        self.activate(kid)
        return kid

    def active(self, algorithm: str | None = None) -> SigningKey:
        """The key that signs with this algorithm.

        Raises:
            KeyError: the issuer was not given this algorithm.
        """
        return self._active[self.default_algorithm if algorithm is None else algorithm]

    def published(self, kid: str) -> SigningKey | None:
        """A key of the set, for the issuer's own checks."""
        return self._published.get(kid)

    def also_publish(self, *jwks: Mapping[str, Any]) -> None:
        """Put these into the set as they stand, after the real ones; replaces what was put there before."""
        self._extra = jwks

    def document(self) -> dict[str, Any]:
        """The key set (RFC 7517 §5)."""
        return {"keys": [*(key.public() for key in self._published.values()), *self._extra]}
