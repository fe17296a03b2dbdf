"""Records that were signed once and are read for ever, and what no change to one of them may achieve."""

import json
import string
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from launchworthy.attestation import (
    Envelope,
    Facts,
    MalformedRecordError,
    Purpose,
    Subject,
    TrustPolicy,
    UnverifiedRecord,
    VerifiedRecord,
    parse_envelope,
    parse_statement,
    parse_trust_policy,
    render_envelope,
    verify_record,
)
from launchworthy.attestation.content import files_digest
from launchworthy.attestation.envelope import pre_authentication_encoding
from launchworthy.attestation.git_objects import TreeEntry, tree_name
from launchworthy.attestation.json_document import cite
from launchworthy.vocabulary import Environment, ProblemError

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).resolve().parents[1] / "vectors" / "attestation.json").read_text()
)
RECORD: bytes = VECTORS["record"].encode()


@cache
def policy(text: str) -> TrustPolicy:
    roots = {name: pem.encode() for name, pem in VECTORS["roots"].items()}
    return parse_trust_policy(text.encode(), roots, where="trust.toml")


def verify(case: Mapping[str, Any]) -> VerifiedRecord:
    digests = {
        Subject(name): digest for name, digest in {**VECTORS["digests"], **case.get("here", {})}.items()
    }
    return verify_record(
        UnverifiedRecord(where="vector", envelope=case.get("envelope", VECTORS["record"]).encode("utf-8")),
        trust=policy(case.get("trust", VECTORS["trust"])),
        facts=Facts(environment=Environment(case["environment"]), digests=digests),
        purpose=Purpose(case["purpose"]),
        now=case["now"],
    )


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_a_record_becomes_what_its_vector_says(case: Mapping[str, Any]) -> None:
    if case["expect"] == "verified":
        assert verify(case).predicate.record_id
    else:
        with pytest.raises(ProblemError) as caught:
            verify(case)
        assert [problem.reason for problem in caught.value.problems] == [case["expect"]]


def genuine(document: bytes) -> VerifiedRecord:
    return verify({**VECTORS["cases"][0], "envelope": document.decode("utf-8", "surrogateescape")})


@given(st.integers(0, len(RECORD) - 1), st.integers(1, 255))
def test_one_changed_byte_makes_no_other_record(place: int, difference: int) -> None:
    """It is refused; or it changed white space only, and the record is the same one."""
    document = bytearray(RECORD)
    document[place] ^= difference
    try:
        envelope = parse_envelope(bytes(document))
    except MalformedRecordError:
        return
    if envelope == parse_envelope(RECORD):
        return
    with pytest.raises(ProblemError):
        genuine(bytes(document))


@given(st.integers(0, len(RECORD)), st.integers(0, len(RECORD)), st.binary(max_size=8))
def test_a_piece_taken_out_or_put_in_makes_no_other_record(start: int, end: int, new: bytes) -> None:
    start, end = min(start, end), max(start, end)
    document = RECORD[:start] + new + RECORD[end:]
    try:
        same = parse_envelope(document) == parse_envelope(RECORD)
    except MalformedRecordError:
        return
    assert same or not verifies(document)


def verifies(document: bytes) -> bool:
    try:
        genuine(document)
    except ProblemError:
        return False
    return True


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(JSON | st.binary())
def test_reading_anything_gives_a_record_or_a_refusal(value: object) -> None:
    document = value if isinstance(value, bytes) else json.dumps(value).encode()
    for parse in (parse_envelope, parse_statement):
        with pytest.raises(MalformedRecordError):
            parse(document)


@given(
    st.binary(min_size=1, max_size=200),
    st.text("0123456789abcdef", min_size=64, max_size=64),
    st.binary(min_size=1, max_size=100),
    st.lists(st.binary(min_size=1, max_size=100), min_size=1, max_size=4),
    st.tuples(st.sampled_from(("stamp", "material")), st.none() | st.binary(min_size=1, max_size=100)),
)
def test_every_envelope_is_read_as_it_was_written(
    payload: bytes, key_id: str, signature: bytes, certificates: list[bytes], proof: tuple[str, bytes | None]
) -> None:
    kind, dated = proof
    envelope = Envelope(
        payload=payload,
        key_id=key_id,
        signature=signature,
        certificates=tuple(certificates[:1] if kind == "material" else certificates),
        stamp=dated if kind == "stamp" else None,
        material=dated if kind == "material" else None,
    )
    assert parse_envelope(render_envelope(envelope)) == envelope


@given(st.tuples(st.text(), st.binary()), st.tuples(st.text(), st.binary()))
def test_two_payloads_are_never_signed_as_the_same_bytes(
    one: tuple[str, bytes], other: tuple[str, bytes]
) -> None:
    assert (pre_authentication_encoding(*one) == pre_authentication_encoding(*other)) is (one == other)


FILES = st.dictionaries(st.text(string.ascii_letters + "/.", min_size=1), st.binary(max_size=20), max_size=5)


@given(FILES, FILES)
def test_two_groups_of_files_have_one_digest_only_if_they_are_the_same(
    one: dict[str, bytes], other: dict[str, bytes]
) -> None:
    assert (files_digest(one) == files_digest(other)) is (one == other)
    assert files_digest(one) == files_digest(dict(reversed(one.items())))


NAMES = st.binary(min_size=1, max_size=6).filter(lambda name: not {0, ord("/")} & set(name))


@given(st.dictionaries(NAMES, st.integers(0, 3), min_size=1, max_size=5), st.randoms())
def test_a_trees_name_depends_on_its_files_and_not_on_their_order(
    files: dict[bytes, int], random: Any
) -> None:
    entries = [
        TreeEntry(path=b"/".join([name] * (depth + 1)), mode=b"100644", name="0" * 40)
        for name, depth in files.items()
    ]
    shuffled = entries.copy()
    random.shuffle(shuffled)
    assert tree_name(shuffled, like="0" * 40) == tree_name(entries, like="0" * 40)
    assert tree_name(entries[1:], like="0" * 40) != tree_name(entries, like="0" * 40)


@given(st.text())
def test_what_is_cited_is_short_and_printable(text: str) -> None:
    assert len(cite(text)) <= 80
    assert all(char == "…" or " " <= char <= "~" for char in cite(text))
    assert "`" not in cite(text)
