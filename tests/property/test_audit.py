"""Whatever is written, and whatever an attacker without the key makes of it."""

import atexit
import hashlib
import json
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
import rfc8785
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "audit"))

from audit_world import SOURCE, Authority, Clock, attempt, bound_stream, outcome
from second_verifier import verify as verify_by_the_page

from launchworthy.audit import ArgumentRedactor
from launchworthy.audit.canonical import MAX_INTEGER, CanonicalError, canonical, parse_canonical
from launchworthy.audit.reading import LineError, UsualLine, parse_envelope
from launchworthy.audit.sanitiser import sanitise, sanitise_label, sanitise_name, sanitise_words
from launchworthy.audit.scrubber import Scrubber
from launchworthy.audit.verification import State, verify_paths

pytestmark = pytest.mark.filterwarnings("ignore:Parsed a serial number")

GAP = 6
AUTHORITY = Authority()
WORKLOAD = AUTHORITY.issue()
PLACE = Path(tempfile.mkdtemp(prefix="audit-properties-"))
atexit.register(shutil.rmtree, PLACE, ignore_errors=True)
TRUST = AUTHORITY.write_bundle(PLACE / "trust")

# ---------------------------------------------------------------- canonical JSON

ascii_keys = st.text(st.characters(max_codepoint=127), max_size=8)
unicode_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
in_domain = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | unicode_text,
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(ascii_keys, inside, max_size=4),
    max_leaves=12,
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=4),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=6), inside, max_size=4),
    max_leaves=12,
)


@given(in_domain)
@settings(max_examples=200)
def test_canonical_json_is_that_of_rfc_8785_in_its_domain(value):
    line = canonical(value)
    assert line == rfc8785.dumps(value)
    assert parse_canonical(line) == value


@given(anything)
@settings(max_examples=200)
def test_what_is_written_at_all_is_written_as_rfc_8785_says(value):
    try:
        line = canonical(value)
    except CanonicalError:
        return
    assert line == rfc8785.dumps(value)
    assert canonical(json.loads(line)) == line


@given(st.binary(max_size=40) | in_domain.map(lambda value: json.dumps(value).encode()))
@settings(max_examples=200)
def test_a9_bytes_are_read_only_if_they_are_what_would_be_written(line):
    try:
        value = parse_canonical(line)
    except CanonicalError:
        return
    assert canonical(value) == line


# ---------------------------------------------------------------- text from elsewhere


@given(st.text(max_size=600))
@settings(max_examples=200)
def test_a11_no_text_gets_through_that_could_break_a_line_or_hide(text):
    for clean in (sanitise, sanitise_label):
        safe = clean(text)
        assert safe.isprintable()
        assert len(safe) <= 256
        assert len(json.dumps(safe, ensure_ascii=False).encode()) <= 514
        assert clean(safe) == safe
        if text.isprintable() and len(text) <= 25:
            assert safe == text


@given(st.lists(st.text(max_size=300), max_size=50))
@settings(max_examples=200)
def test_words_stay_few_and_short(words):
    safe = sanitise_words(words)
    assert len(safe) <= 32
    assert sum(len(json.dumps(word, ensure_ascii=False).encode()) - 2 for word in safe) <= 1024
    assert sanitise_words(safe) == safe


@given(st.text(max_size=100))
def test_names_are_ascii(name):
    safe = sanitise_name(name)
    assert safe.isascii()
    assert len(safe) <= 64
    assert not set(safe) & {" ", "\n", "\x7f"}


@given(
    st.dictionaries(st.text(max_size=80), anything, max_size=40),
    st.sampled_from(["clear", "hmac", "drop", "other"]),
)
@settings(max_examples=300)
def test_whatever_the_arguments_are_they_can_be_recorded_and_stay_small(arguments, argument_class):
    redactor = ArgumentRedactor(bytes(32), "kid")
    redacted = redactor.redact("tool", dict.fromkeys(arguments, argument_class), arguments)
    assert len(canonical(redacted)) <= 4096 + 200
    event = attempt(arguments=redacted)
    assert event.model_dump()["arguments"] == redacted


@given(st.text(max_size=200), st.text(max_size=200))
@settings(max_examples=200)
def test_a_bearer_token_never_gets_past_the_scrubber(before, after):
    token = "eyJ" + "hbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJlLWJ5dGVz"
    scrubber = Scrubber()
    scrubbed = scrubber.scrub(f"{before} Bearer {token} {after}")
    assert "c2lnbmF0dXJl" not in scrubbed
    assert "eyJzdWIi" not in scrubbed
    assert scrubber.hits.total() >= 1


# ---------------------------------------------------------------- an attacker who can write the file


def make_stream(directory, *, close):
    notes = []
    stream = bound_stream(directory, WORKLOAD, clock=Clock(), checkpoint_every=GAP, anchor=notes.append)
    for number in range(9):
        stream.record(attempt(str(number)), subject=f"order/{number}")
        stream.record(outcome(str(number)), critical=True)
    path, covered = stream.path, stream.path.read_bytes()
    if close:
        stream.close()
    else:
        stream.checkpoint()  # a later anchor, for what is looked at is the file as it was before
        path.write_bytes(covered)
    return path.name, tuple(path.read_bytes().splitlines()), tuple(notes)


SEALED_NAME, SEALED, SEALED_NOTES = make_stream(PLACE / "sealed", close=True)
OPEN_NAME, OPEN, OPEN_NOTES = make_stream(PLACE / "open", close=False)
_, OTHER, _ = make_stream(PLACE / "other", close=True)


def rechain(lines):
    try:
        stream = json.loads(lines[0])["stream"]
        prev = hashlib.sha256(f"launchworthy-audit/1\n{stream}".encode()).hexdigest()
        chained = []
        for seq, line in enumerate(lines):
            record = {**json.loads(line), "seq": seq, "id": f"{stream}/{seq}", "prev": prev, "stream": stream}
            chained.append(canonical(record))
            prev = hashlib.sha256(chained[-1]).hexdigest()
    except (ValueError, IndexError, KeyError, TypeError):
        return lines
    return chained


def flip(line, at):
    at %= len(line)
    return line[:at] + bytes([line[at] ^ (1 + at % 7)]) + line[at + 1 :]


def with_data(record, at):
    return {**record, "data": {**record["data"], "subject": f"mallory-{at}"}}


def with_signature(record, at):
    more = f"— example.org/witness-{at} AAAAAAAA\n"
    return {**record, "data": {**record["data"], "note": record["data"]["note"] + more}}


def in_other_order(line, _at):
    return json.dumps(dict(reversed(json.loads(line).items())), separators=(",", ":")).encode()


def edit(how):
    return lambda line, at: canonical(how(json.loads(line), at))


CHANGES = {
    "flip": flip,
    "space": lambda line, _at: line.replace(b'","', b'", "', 1),
    "escape": lambda line, _at: line.replace(b"o", b"\\u006f", 1),
    "order": in_other_order,
    "data": edit(with_data),
    "time": edit(lambda record, at: {**record, "time": f"2027-01-01T00:00:00.{at:06d}Z"}),
    "type": edit(lambda record, _at: {**record, "type": "launchworthy.request.served.v1"}),
    "source": edit(lambda record, _at: {**record, "source": "spiffe://acme.example/mallory"}),
    "subject": edit(lambda record, at: {**record, "subject": f"order/{at}"}),
    "field": edit(lambda record, at: {**record, "data": {**record["data"], "more": at}}),
    "note": edit(with_signature),
}


def change(line, kind, at):
    try:
        return CHANGES[kind](line, at) if line else line
    except (ValueError, TypeError, KeyError, AttributeError):
        return line  # another change has left nothing of the kind to change


positions = st.integers(0, 40) | st.sampled_from([-1, -2, -3])  # the end is where it is decided
mutations = st.one_of(
    st.tuples(st.just("edit"), positions, st.sampled_from(sorted(CHANGES)), st.integers(0, 5000)),
    st.tuples(st.just("delete"), positions),
    st.tuples(st.just("insert"), positions, positions),
    st.tuples(st.just("forge"), positions),
    st.tuples(st.just("swap"), positions, positions),
    st.tuples(st.just("splice"), positions, positions),
    st.tuples(st.just("truncate"), positions),
    st.tuples(st.just("strip")),
    st.tuples(st.just("open again")),
    st.tuples(st.just("append"), positions),
    st.tuples(st.just("tear"), st.integers(1, 50)),
    st.tuples(st.just("rechain")),
)


def without(lines, kind):
    return [line for line in lines if kind not in line]


def swapped(lines, at, other):
    lines[at], lines[other % len(lines)] = lines[other % len(lines)], lines[at]
    return lines


MUTATIONS = {
    "edit": lambda lines, at, kind, what: [*lines[:at], change(lines[at], kind, what), *lines[at + 1 :]],
    "delete": lambda lines, at: [*lines[:at], *lines[at + 1 :]],
    "insert": lambda lines, at, which: [*lines[:at], lines[which % len(lines)], *lines[at:]],
    "forge": lambda lines, at: [*lines[:at], change(lines[at], "data", 7), *lines[at:]],
    "swap": swapped,
    "splice": lambda lines, at, which: [*lines[:at], *OTHER[which % len(OTHER) :]],
    "truncate": lambda lines, at: lines[:at],
    "append": lambda lines, at: [*lines, lines[at]],
    "strip": lambda lines: without(lines, b"stream.checkpoint.v1"),
    "open again": lambda lines: without(lines, b"stream.close.v1"),
    "rechain": rechain,
}


def mutate(lines, torn, mutation):
    """One thing that an attacker does; the lines and what comes after the last newline."""
    name, *where = mutation
    if not lines:
        return lines, torn
    if name == "tear":
        return lines[:-1], lines[-1][: where[0]]
    if where:
        where[0] %= len(lines)
    return MUTATIONS[name](list(lines), *where), torn


def content_of(lines, torn):
    return b"".join(line + b"\n" for line in lines) + torn


attacks = st.tuples(st.lists(mutations, min_size=1, max_size=2), st.booleans())


def attack(original, plan):
    steps, again = plan
    lines, torn = list(original), b""
    for step in steps:
        lines, torn = mutate(lines, torn, step)
    if again:
        lines = rechain(lines)
    return lines, torn


def judge(name, content, notes):
    path = PLACE / "judged" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    found = verify_paths(
        [path],
        require_sealed=False,
        trust_directory=TRUST,
        anchors=notes,
        max_gap=GAP,
        sources=frozenset({SOURCE}),
    )
    state, record = verify_by_the_page(
        content, name=name, roots=[AUTHORITY.certificate], anchors=notes, max_gap=GAP
    )
    return found, state, record


EXAMPLES = settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow])


@given(attacks)
@EXAMPLES
def test_a7_with_a_later_anchor_no_change_to_a_closed_file_goes_unnoticed(plan):
    lines, torn = attack(SEALED, plan)
    found, theirs, _ = judge(SEALED_NAME, content_of(lines, torn), SEALED_NOTES)
    if (lines, torn) == (list(SEALED), b""):
        assert found.state is State.INTACT_SEALED
    else:
        assert found.exit_code != 0
    assert found.streams[0].state.value == theirs


@given(attacks)
@EXAMPLES
def test_with_a_later_anchor_no_change_to_an_open_file_goes_unnoticed(plan):
    lines, torn = attack(OPEN, plan)
    found, theirs, _ = judge(OPEN_NAME, content_of(lines, torn), OPEN_NOTES)
    if lines == list(OPEN):
        assert found.state is State.INTACT_OPEN
    elif found.exit_code == 0:
        # beyond what the last anchor covers an attacker can add what no signature covers, and no more
        assert found.streams[0].state is State.INTACT_OPEN
        assert lines[: len(OPEN)] == list(OPEN)
        assert found.streams[0].unsealed <= GAP
    assert found.streams[0].state.value == theirs


@given(attacks)
@EXAMPLES
def test_without_an_anchor_only_the_documented_rest_passes(plan):
    lines, torn = attack(SEALED, plan)
    found, theirs, _ = judge(SEALED_NAME, content_of(lines, torn), ())
    [only] = found.streams
    if (lines, torn) == (list(SEALED), b""):
        assert only.state is State.INTACT_SEALED
    elif found.exit_code == 0:
        assert only.state is State.INTACT_OPEN
        assert lines[: only.sealed_to] == list(SEALED[: only.sealed_to])
        assert len(lines) - only.sealed_to <= GAP
    assert only.state.value == theirs


@given(mutations)
@EXAMPLES
def test_the_record_to_blame_is_the_one_the_page_names(mutation):
    lines, torn = attack(SEALED, ([mutation], False))
    found, _, record = judge(SEALED_NAME, content_of(lines, torn), ())
    damage = found.streams[0].damage
    assert (None if damage is None else damage.record) == record


USUAL = UsualLine(json.loads(SEALED[0])["stream"], SOURCE)


@given(st.integers(2, len(SEALED) - 1), st.integers(0, 2000), st.binary(max_size=6), st.integers(0, 4))
@settings(max_examples=500)
def test_the_quick_reader_accepts_nothing_that_the_thorough_one_refuses(number, at, new, length):
    line = SEALED[number]
    at %= len(line) + 1
    changed = line[:at] + new + line[at + length :]
    prev = hashlib.sha256(SEALED[number - 1]).hexdigest()
    quick = USUAL.parse(changed, number, prev)
    try:
        thorough = parse_envelope(changed)
    except LineError:
        assert quick is None
        return
    expected = (
        (thorough["seq"] == number and thorough["prev"] == prev and thorough["source"] == SOURCE)
        and thorough["stream"] == json.loads(SEALED[0])["stream"]
        and thorough["id"] == f"{thorough['stream']}/{number}"
    )
    assert (quick is not None) == expected
    if quick is not None:
        time, kind, data = quick
        assert (time, f"launchworthy.{kind}.v1", data) == (
            thorough["time"],
            thorough["type"],
            thorough["data"],
        )
