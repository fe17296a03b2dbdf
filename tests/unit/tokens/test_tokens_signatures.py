"""A signature holds for its key, its bytes and its two numbers, and says what joserfc says of it."""

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.jwk import ECKey
from joserfc.jws import JWSRegistry

from launchworthy.tokens.signatures import holds

SIGNED = b"what was signed"
CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
EVERY = pytest.mark.parametrize("algorithm", CURVES)


def signed(algorithm: str) -> tuple[ECKey, bytes]:
    key = ECKey.generate_key(CURVES[algorithm])
    return key, JWSRegistry.algorithms[algorithm].sign(SIGNED, key)


@EVERY
def test_a_good_signature_holds(algorithm: str) -> None:
    key, signature = signed(algorithm)

    assert holds(algorithm, key, SIGNED, signature)


@EVERY
def test_other_bytes_and_another_key_do_not_hold(algorithm: str) -> None:
    key, signature = signed(algorithm)
    other, _ = signed(algorithm)

    assert not holds(algorithm, key, SIGNED + b".", signature)
    assert not holds(algorithm, other, SIGNED, signature)


@EVERY
@pytest.mark.parametrize(
    "change",
    [
        lambda signature: signature[:0],
        lambda signature: signature[:-1],
        lambda signature: signature + b"\x00",
        lambda signature: b"\x00" + signature,
        lambda signature: bytes(len(signature)),
        lambda signature: b"\xff" * len(signature),
        lambda signature: signature[len(signature) // 2 :] + signature[: len(signature) // 2],
        lambda signature: bytes(len(signature) // 2) + signature[len(signature) // 2 :],
        lambda signature: signature[:-1] + bytes((signature[-1] ^ 1,)),
    ],
)
def test_a_changed_signature_does_not_hold_and_raises_nothing(
    algorithm: str, change: Callable[[bytes], bytes]
) -> None:
    key, signature = signed(algorithm)
    changed = change(signature)

    assert not holds(algorithm, key, SIGNED, changed)
    assert JWSRegistry.algorithms[algorithm].verify(SIGNED, changed, key) is False


@EVERY
def test_the_der_form_is_no_signature_of_a_token(algorithm: str) -> None:
    key, _ = signed(algorithm)
    private = key.get_op_key("sign")
    assert not holds(algorithm, key, SIGNED, private.sign(SIGNED, ECDSA(SHA256())))
