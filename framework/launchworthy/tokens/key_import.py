"""Which keys of a published key set may verify tokens? RFC 7517, RFC 7518 §6.

Key by key, so that one exotic or broken key never takes the others with it:

1. a `kid` of 1 to 256 printable characters that no other key of the document has
2. no private and no symmetric member: such a key is in everybody's hands
3. `use` absent or `sig`; `key_ops` absent or with `verify`; `alg` absent or one that is allowed here
4. type and curve fit at least one allowed algorithm
5. RSA of 2048 to 8192 bits, odd, with e = 65537; points on their curve, coordinates in full length
6. nothing else of the key is looked at: no certificate, no URL
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from launchworthy.tokens import base64url
from launchworthy.tokens.algorithms import KEY_SHAPES
from launchworthy.tokens.header import MAX_KID_LENGTH
from launchworthy.tokens.shown import shown
from launchworthy.tokens.signatures import holds
from launchworthy.vocabulary import Reason, Refused

MAX_KEYS: Final = 32
MIN_RSA_BITS: Final = 2048
MAX_RSA_BITS: Final = 8192
RSA_EXPONENT: Final = 65537
SECRET_MEMBERS: Final = frozenset(("d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"))

_COORDINATE_BYTES: Final = {"P-256": 32, "P-384": 48, "P-521": 66, "Ed25519": 32}


class KeySetError(ValueError):
    """The document is no key set, or none of its keys can be used."""


class _UnusableKeyError(ValueError):
    """This one key is not used; says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationKey:
    """A public key and the algorithms it may verify; never a private one.

    Attributes:
        kid: its name in the issuer's set.
        algorithms: at least one, all of them allowed by the issuer's policy.
        thumbprint: RFC 7638, tells a replaced key from the same one.
    """

    kid: str
    algorithms: frozenset[str]
    thumbprint: str
    public: RSAKey | ECKey | OKPKey

    def verify(self, algorithm: str, signing_input: bytes, signature: bytes) -> None:
        """Check a signature.

        Raises:
            Refused: `token.key` if the algorithm is not this key's, `token.signature` if it does not hold.
        """
        if algorithm not in self.algorithms:
            raise Refused(Reason.TOKEN_KEY, f"the key {shown(self.kid)} is not for {shown(algorithm)}")
        if not holds(algorithm, self.public, signing_input, signature):
            raise Refused(Reason.TOKEN_SIGNATURE, f"not signed by the key {shown(self.kid)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRing:
    """What one key set document is good for.

    Attributes:
        usable: at least one key, by `kid`.
        ignored: why the others are not used, by `kid` (or by place: `#3`, where there is none).
    """

    usable: Mapping[str, VerificationKey]
    ignored: Mapping[str, str]


def import_keys(document: object, algorithms: Iterable[str]) -> KeyRing:
    """Take the usable keys out of a key set.

    Args:
        document: the parsed JSON of the key set.
        algorithms: what the issuer's policy allows.

    Raises:
        KeySetError: it is no key set, has more than 32 keys, or none that can be used.
    """
    allowed = frozenset(algorithms)
    members = _members(document)
    names = Counter(map(_kid_of, members))
    usable: dict[str, VerificationKey] = {}
    ignored: dict[str, str] = {}
    for place, member in enumerate(members):
        kid = _kid_of(member)
        try:
            key = _import_key(member, allowed, names)
        except (_UnusableKeyError, JoseError, ValueError, TypeError, OverflowError) as error:
            why = (
                str(error) if isinstance(error, _UnusableKeyError) else "its numbers are no key of that kind"
            )
            ignored[f"#{place}" if kid == "" or kid in ignored else kid] = why
        else:
            usable[key.kid] = key
    if not usable:
        reasons = "; ".join(f"{shown(kid)}: {why}" for kid, why in list(ignored.items())[:3])
        raise KeySetError(f"no usable key ({reasons or 'the set is empty'})")
    return KeyRing(usable=usable, ignored=ignored)


def _members(document: object) -> list[object]:
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list):
        raise KeySetError("no `keys` list")
    if len(keys) > MAX_KEYS:
        raise KeySetError(f"more than {MAX_KEYS} keys")
    return keys


def _kid_of(member: object) -> str:
    """The key's name, or nothing where it has none that could be used or shown."""
    kid = member.get("kid") if isinstance(member, dict) else None
    return kid if isinstance(kid, str) and len(kid) <= MAX_KID_LENGTH and kid.isprintable() else ""


def _import_key(member: object, allowed: frozenset[str], names: Mapping[str, int]) -> VerificationKey:
    if not isinstance(member, dict):
        raise _UnusableKeyError("it is not an object")
    if (kid := _kid_of(member)) == "":
        raise _UnusableKeyError(f"its `kid` is not a string of 1 to {MAX_KID_LENGTH} printable characters")
    if names[kid] > 1:
        raise _UnusableKeyError("its `kid` stands more than once")
    if not SECRET_MEMBERS.isdisjoint(member):
        raise _UnusableKeyError("it is published with a private or symmetric part")
    _check_purpose(member)
    algorithms = _fitting(member, allowed)
    public = _public_key(member)
    return VerificationKey(kid=kid, algorithms=algorithms, thumbprint=public.thumbprint(), public=public)


def _check_purpose(member: Mapping[str, object]) -> None:
    """RFC 7517 §4.2, §4.3."""
    if "use" in member and member["use"] != "sig":
        raise _UnusableKeyError(f"its `use` is {shown(member['use'])}")
    if "key_ops" not in member:
        return
    operations = member["key_ops"]
    if not isinstance(operations, list) or "verify" not in operations:
        raise _UnusableKeyError("its `key_ops` do not hold `verify`")
    if not all(isinstance(operation, str) for operation in operations):
        raise _UnusableKeyError("its `key_ops` are not strings")
    if len(set(operations)) != len(operations):
        raise _UnusableKeyError("its `key_ops` repeat themselves")


def _fitting(member: Mapping[str, object], allowed: frozenset[str]) -> frozenset[str]:
    shape = (member.get("kty"), None if member.get("kty") == "RSA" else member.get("crv"))
    fitting = frozenset(name for name in allowed if KEY_SHAPES[name] == shape)
    if not fitting:
        curve = "" if shape[1] is None else f" on {shown(shape[1])}"
        raise _UnusableKeyError(f"no allowed algorithm uses a key of {shown(shape[0])}{curve}")
    if "alg" not in member:
        return fitting
    named = member["alg"]
    if not isinstance(named, str) or named not in fitting:
        raise _UnusableKeyError(f"its `alg` is {shown(named)}, which is not allowed or does not fit it")
    return frozenset((named,))


def _public_key(member: Mapping[str, object]) -> RSAKey | ECKey | OKPKey:
    """Build a key from its numbers alone; RFC 7518 §6.2.1.2, §6.3.1, RFC 8037 §2."""
    match member["kty"]:
        case "RSA":
            _check_rsa(_number(member, "n"), _number(member, "e"))
            return RSAKey.import_key({"kty": "RSA", "n": _text(member, "n"), "e": _text(member, "e")})
        case "EC":
            curve = _text(member, "crv")
            x, y = _coordinate(member, "x", curve), _coordinate(member, "y", curve)
            return ECKey.import_key({"kty": "EC", "crv": curve, "x": x, "y": y})
        case _:
            curve = _text(member, "crv")
            return OKPKey.import_key({"kty": "OKP", "crv": curve, "x": _coordinate(member, "x", curve)})


def _check_rsa(modulus: bytes, exponent: bytes) -> None:
    bits = int.from_bytes(modulus).bit_length()
    if not MIN_RSA_BITS <= bits <= MAX_RSA_BITS:
        raise _UnusableKeyError(f"it has {bits} bits, not {MIN_RSA_BITS} to {MAX_RSA_BITS}")
    if modulus[-1] % 2 == 0:
        raise _UnusableKeyError("its modulus is even")
    if int.from_bytes(exponent) != RSA_EXPONENT:
        raise _UnusableKeyError(f"its exponent is not {RSA_EXPONENT}")


def _coordinate(member: Mapping[str, object], name: str, curve: str) -> str:
    if len(_number(member, name)) != _COORDINATE_BYTES[curve]:
        raise _UnusableKeyError(f"its `{name}` has not the length of its curve")
    return _text(member, name)


def _number(member: Mapping[str, object], name: str) -> bytes:
    try:
        return base64url.decode(_text(member, name).encode("ascii"))
    except ValueError:
        raise _UnusableKeyError(f"its `{name}` is not base64url") from None


def _text(member: Mapping[str, object], name: str) -> str:
    value = member.get(name)
    if not isinstance(value, str):
        raise _UnusableKeyError(f"its `{name}` is {shown(value)}")
    return value
