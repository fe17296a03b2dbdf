"""Keys are taken one by one, and only those that may verify."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.jwk import ECKey, OKPKey, RSAKey

from launchworthy.testing.issuer_keys import SigningKey, generate_key
from launchworthy.tokens import base64url
from launchworthy.tokens.key_import import KeySetError, import_keys
from launchworthy.vocabulary import Reason, Refused

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "tokens_key_sets.json").read_text())
ALGORITHMS = ("ES256", "RS256", "PS256", "Ed25519")
BASES = {name: generate_key(algorithm, "base").public()
         for name, algorithm in (("EC", "ES256"), ("RSA", "RS256"), ("OKP", "Ed25519"))}  # fmt: skip
WITNESS = generate_key("ES256", "witness")
RSA_PRIVATE = RSAKey.generate_key(2048)


def changed(case: dict[str, Any]) -> dict[str, Any]:
    base = BASES[case["base"]]
    key = {**base, **{name: built(value, base) for name, value in case["change"].items()}}
    return {name: value for name, value in key.items() if value != {"$absent": True}}


def built(value: Any, base: dict[str, Any]) -> Any:
    match value:
        case {"$repeat": [text, times]}:
            value = text * times
        case {"$bits": bits}:
            number = random.Random(bits).getrandbits(bits) | 1 | 1 << (bits - 1)  # noqa: S311 - any number will do
            value = base64url.encode(number.to_bytes((bits + 7) // 8))
        case {"$even": bits}:
            value = base64url.encode((1 << (bits - 1)).to_bytes(bits // 8))
        case {"$zero_in_front": name}:
            value = base64url.encode(b"\x00" + base64url.decode(base[name].encode()))
        case {"$flipped": name}:
            data = base64url.decode(base[name].encode())
            value = base64url.encode(data[:-1] + bytes((data[-1] ^ 1,)))
        case {"$padded": name}:
            value = base[name] + "="
        case {"$spaced": name}:
            value = base[name] + " "
    return value


@pytest.mark.parametrize("case", VECTORS["keys"], ids=[case["name"] for case in VECTORS["keys"]])
def test_a_key_is_used_or_ignored_and_never_takes_another_with_it(case: dict[str, Any]) -> None:
    ring = import_keys({"keys": [changed(case), WITNESS.public()]}, ALGORITHMS)
    assert "witness" in ring.usable
    if case["expect"] == "usable":
        assert ring.ignored == {}
        assert len(ring.usable) == 2
    else:
        assert set(ring.usable) == {"witness"}
        assert case["expect"] in next(iter(ring.ignored.values()))


@pytest.mark.parametrize("case", VECTORS["documents"], ids=[case["name"] for case in VECTORS["documents"]])
def test_a_document_without_a_usable_key_is_an_error(case: dict[str, Any]) -> None:
    with pytest.raises(KeySetError, match=case["expect"]):
        import_keys(case["document"], ALGORITHMS)


def test_a_set_of_32_keys_is_taken() -> None:
    keys = [{**BASES["EC"], "kid": f"k{number}"} for number in range(32)]
    assert len(import_keys({"keys": keys}, ALGORITHMS).usable) == 32


def test_keys_that_share_a_kid_are_all_ignored() -> None:
    ring = import_keys({"keys": [BASES["EC"], {**BASES["RSA"], "use": "enc"}, WITNESS.public()]}, ALGORITHMS)
    assert set(ring.usable) == {"witness"}
    assert set(ring.ignored) == {"base", "#1"}
    assert set(ring.ignored.values()) == {"its `kid` stands more than once"}


def test_a_key_without_alg_is_good_for_what_its_shape_fits_and_the_issuer_allows() -> None:
    key = {name: value for name, value in BASES["RSA"].items() if name != "alg"}
    assert import_keys({"keys": [key]}, ALGORITHMS).usable["base"].algorithms == {"RS256", "PS256"}
    assert import_keys({"keys": [key]}, ("RS256",)).usable["base"].algorithms == {"RS256"}
    with pytest.raises(KeySetError):
        import_keys({"keys": [key]}, ("ES256",))


def test_the_imported_key_holds_nothing_but_its_numbers() -> None:
    ring = import_keys({"keys": [{**BASES["EC"], "x5c": ["MIIB"], "own": 1}]}, ALGORITHMS)
    assert set(ring.usable["base"].public.as_dict()) == {"kty", "crv", "x", "y"}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_verifies_what_its_private_part_signed_and_nothing_else(algorithm: str) -> None:
    signer = generate_key(algorithm, "k")
    key = import_keys({"keys": [signer.public()]}, ALGORITHMS).usable["k"]
    key.verify(algorithm, b"data", signer.sign(b"data"))
    with pytest.raises(Refused) as refusal:
        key.verify(algorithm, b"data", signer.sign(b"other"))
    assert refusal.value.reason is Reason.TOKEN_SIGNATURE


@pytest.mark.parametrize(
    ("algorithm", "private"),
    [
        ("ES384", ECKey.generate_key("P-384")),
        ("ES512", ECKey.generate_key("P-521")),
        ("EdDSA", OKPKey.generate_key("Ed25519")),
        ("RS384", RSA_PRIVATE),
        ("RS512", RSA_PRIVATE),
        ("PS384", RSA_PRIVATE),
        ("PS512", RSA_PRIVATE),
    ],
)
def test_every_algorithm_that_may_be_configured_verifies(
    algorithm: str, private: ECKey | OKPKey | RSAKey
) -> None:
    signer = SigningKey(kid="k", algorithm=algorithm, private=private)
    key = import_keys({"keys": [signer.public()]}, (algorithm,)).usable["k"]
    key.verify(algorithm, b"data", signer.sign(b"data"))
    with pytest.raises(Refused):
        key.verify(algorithm, b"other", signer.sign(b"data"))


def test_a_key_does_not_verify_for_another_algorithm_of_its_type() -> None:
    signer = generate_key("RS256", "k")
    key = import_keys({"keys": [signer.public()]}, ALGORITHMS).usable["k"]
    with pytest.raises(Refused) as refusal:
        key.verify("PS256", b"data", signer.sign(b"data"))
    assert refusal.value.reason is Reason.TOKEN_KEY


def test_a_replaced_key_has_another_thumbprint() -> None:
    def thumbprint(jwk: dict[str, Any]) -> str:
        return import_keys({"keys": [jwk]}, ALGORITHMS).usable["k"].thumbprint

    first, second = generate_key("ES256", "k").public(), generate_key("ES256", "k").public()
    assert thumbprint(first) == thumbprint({**first, "use": "sig"}) != thumbprint(second)


def test_a_small_rsa_key_is_ignored_without_a_warning() -> None:
    numbers = rsa.generate_private_key(65537, 1024).public_key().public_numbers()  # noqa: S505 - to be refused
    weak = {"kty": "RSA", "kid": "weak", "e": "AQAB", "n": base64url.encode(numbers.n.to_bytes(128))}
    assert set(import_keys({"keys": [weak, WITNESS.public()]}, ALGORITHMS).ignored) == {"weak"}
