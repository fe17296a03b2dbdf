"""Vectors that others wrote for libraries like ours: Wycheproof's JSON Web Signatures and keys.

They are not in this repository. `WYCHEPROOF=/path/to/wycheproof/testvectors_v1` runs them; without it only a
few of our own in the same form are, so that what reads them is known to work.
"""

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from launchworthy.testing.issuer_keys import generate_key
from launchworthy.tokens import base64url
from launchworthy.tokens.algorithms import KEY_SHAPES
from launchworthy.tokens.compact import split
from launchworthy.tokens.header import read_header
from launchworthy.tokens.key_import import KeySetError, import_keys
from launchworthy.tokens.named_exceptions import ABSENT
from launchworthy.vocabulary import Refused

FILES = ("json_web_signature_test.json", "json_web_key_test.json")
WHERE = os.environ.get("WYCHEPROOF")
UNTYPED = frozenset((ABSENT,))
ROCA = "rejectsKeyWithRocaVulnerability"
"""Keys of one broken chip; to recognise them is a certification's business, not a verifier's."""


def accepted(jws: str, keys: dict[str, Any]) -> bool:
    """Whether these keys vouch for this signature, as the verifier would judge both."""
    try:
        ring = import_keys(keys, KEY_SHAPES)
        compact = split(jws)
        header = read_header(compact.unverified_header, UNTYPED)
        ring.usable[header.kid].verify(header.algorithm, compact.signing_input, compact.signature)
    except (Refused, KeySetError, KeyError):
        return False
    return True


def cases(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Every case with the key set that a verifier has."""
    for group in document["testGroups"]:
        public = group.get("public", group["private"])
        keys = public if "keys" in public else {"keys": [public]}
        for case in group["tests"]:
            yield case, keys


def wrong(document: dict[str, Any]) -> tuple[list[str], Counter[str]]:
    """What was accepted and must not be, and how often each outcome came."""
    found, seen = [], Counter[str]()
    for case, keys in cases(document):
        outcome = accepted(case["jws"], keys)
        seen[f"{case['result']}, {'accepted' if outcome else 'refused'}"] += 1
        if outcome and case["result"] == "invalid" and case["comment"] != ROCA:
            found.append(f"{case['tcId']}: {case['comment']}")
    return found, seen


def test_what_reads_the_vectors_tells_good_from_bad() -> None:
    key, other = generate_key("ES256", "k"), generate_key("ES256", "k")
    head = "eyJhbGciOiJFUzI1NiIsImtpZCI6ImsifQ"
    good, bad = (signer.sign(f"{head}.Zm9v".encode()) for signer in (key, other))

    def case(number: int, signature: bytes, result: str) -> dict[str, Any]:
        text = f"{head}.Zm9v.{base64url.encode(signature)}"
        return {"tcId": number, "comment": f"case {number}", "jws": text, "result": result, "flags": []}

    group = {
        "private": key.private.as_dict(private=True),
        "public": key.public(),
        "tests": [case(1, good, "valid"), case(2, bad, "invalid"), case(3, good, "invalid")],
    }
    found, seen = wrong({"testGroups": [group]})
    assert found == ["3: case 3"]
    assert seen == {"valid, accepted": 1, "invalid, refused": 1, "invalid, accepted": 1}
    leaked = {"private": group["private"], "tests": [case(1, good, "valid")]}
    assert wrong({"testGroups": [leaked]})[1] == {"valid, refused": 1}


@pytest.mark.skipif(WHERE is None, reason="WYCHEPROOF names no folder with Wycheproof's testvectors_v1")
@pytest.mark.parametrize("name", FILES)
def test_no_vector_of_wycheproof_is_accepted_that_must_not_be(name: str) -> None:
    document = json.loads(Path(WHERE or "", name).read_text())
    found, seen = wrong(document)
    assert found == []
    assert sum(seen.values()) == document["numberOfTests"]
    assert seen["valid, accepted"] > 0
