"""A second verifier, written from docs/reference/audit-format.md alone; it shares no code with the first.

Answers for one file: (state, first record to blame or None).
"""

import base64
import hashlib
import json
import re

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import SubjectAlternativeName, UniformResourceIdentifier, load_der_x509_certificate
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

SERVES = {
    f"launchworthy.{name}.v1"
    for name in ("server.ready", "tool.attempt", "resource.attempt", "prompt.attempt")
}
NAMES = {"specversion", "id", "source", "type", "time", "stream", "seq", "prev", "data"}


class Bad(Exception):
    def __init__(self, record):
        self.record = record


def verify(content, *, name="", roots=(), pinned=(), anchors=(), max_gap=1000):
    *lines, torn = content.split(b"\n")
    if not lines:
        return "undecided", None
    events, broken = [], None
    try:
        try:
            check_lines(lines, events)
        except Bad as bad:
            broken = bad  # but what is read so far may break another rule before
        key_text = events[0]["data"]["key"] if events else ""
        covered, closed, sealed = check_seals(lines, events, key_text, max_gap)
        bound = check_binding(lines, events, key_text)
        if broken is not None:
            raise broken
        check_end(lines, covered, closed=closed, sealed=sealed, torn=torn, max_gap=max_gap)
        check_name(events, name)
        check_anchors(lines, key_text, anchors)
    except Bad as bad:
        return "tampered", bad.record
    believed = key_text in pinned or (bound is not None and leads_to(roots, *bound))
    if not believed:
        return "undecided", None
    return ("intact-sealed" if sealed else "intact-open"), None


def check_lines(lines, events):
    key_text = stream = prev = None
    source = bound_source = None
    for number, line in enumerate(lines):
        event = parse(line, number)
        if number == 0:
            if (
                event["type"] != "launchworthy.stream.open.v1"
                or event["data"].get("format") != "launchworthy-audit/1"
            ):
                raise Bad(0)
            key_text = event["data"].get("key")
            stream = named_by(key_text)
            source = "urn:launchworthy:stream:" + stream
            prev = hashlib.sha256(b"launchworthy-audit/1\n" + stream.encode()).hexdigest()
        elif event["type"] == "launchworthy.stream.open.v1":
            raise Bad(number)
        if event["seq"] != number or event["stream"] != stream or event["id"] != f"{stream}/{number}":
            raise Bad(number)
        if event["prev"] != prev:
            raise Bad(blame(lines, number))
        if event["type"] == "launchworthy.stream.bound.v1":
            if bound_source is not None or event["source"] == source:
                raise Bad(number)
            source = bound_source = event["source"]
        if event["source"] != source:
            raise Bad(number)
        if event["type"] in SERVES and bound_source is None:
            raise Bad(number)
        events.append(event)
        prev = hashlib.sha256(line).hexdigest()


def parse(line, number):
    def refuse(_):
        raise ValueError

    def pairs(found):
        if len({name for name, _ in found}) != len(found) or not all(name.isascii() for name, _ in found):
            raise ValueError
        return dict(found)

    try:
        text = line.decode("utf-8", "strict")
        event = json.loads(text, parse_float=refuse, parse_constant=refuse, object_pairs_hook=pairs)
        again = json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        good = (
            again == line
            and set(event) - {"subject"} == NAMES
            and event.get("subject", "x") != ""
            and isinstance(event.get("subject", "x"), str)
            and event["specversion"] == "1.0"
            and type(event["seq"]) is int
            and isinstance(event["data"], dict)
            and re.fullmatch(
                r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z", event["time"]
            )
            and re.fullmatch(r"launchworthy\.[a-z_]+\.[a-z_]+\.v1", event["type"])
            and all(type(number) is int and abs(number) < 2**53 for number in numbers(event))
        )
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        raise Bad(number) from None
    if not good:
        raise Bad(number)
    return event


def numbers(value):
    if isinstance(value, dict):
        for item in value.values():
            yield from numbers(item)
    elif isinstance(value, list):
        for item in value:
            yield from numbers(item)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield value


def blame(lines, number):
    if number + 1 < len(lines):
        try:
            fits = json.loads(lines[number + 1])["prev"] == hashlib.sha256(lines[number]).hexdigest()
        except (ValueError, KeyError, TypeError):
            fits = False
        return number - 1 if fits and number else number
    return max(0, number - 1)


def named_by(key_text):
    try:
        name, key_id, encoded = key_text.split("+", 2)
        raw = base64.b64decode(encoded, validate=True)
    except (ValueError, AttributeError):
        raise Bad(0) from None
    public = raw[1:]
    stream = hashlib.sha256(b"launchworthy-audit/1\n" + public).hexdigest()[:32]
    right_id = hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4].hex()
    if (
        raw[:1] != b"\x01"
        or len(public) != 32
        or name != "urn:launchworthy:stream:" + stream
        or key_id != right_id
    ):
        raise Bad(0)
    return stream


def check_seals(lines, events, key_text, max_gap):
    covered, closed_at, sealed = 0, None, False
    for number, event in enumerate(events):
        kind = event["type"]
        if sealed or (closed_at is not None and kind != "launchworthy.stream.checkpoint.v1"):
            raise Bad(number)
        if kind == "launchworthy.stream.close.v1":
            closed_at = event["time"]
        if kind != "launchworthy.stream.checkpoint.v1":
            continue
        size, root = read_note(event["data"].get("note"), key_text, number)
        if size != number:
            raise Bad(number)
        if root != root_of(lines[:number]) or number - covered > max_gap:
            raise Bad(covered)
        if closed_at is not None:
            one_signature = event["data"]["note"].count("\n") == 5
            if (
                event["time"] != closed_at
                or "subject" in event
                or set(event["data"]) != {"note"}
                or not one_signature
            ):
                raise Bad(number)
            sealed = True
        covered = number
    return covered, closed_at is not None, sealed


def check_end(lines, covered, *, closed, sealed, torn, max_gap):
    if len(lines) - covered > max_gap:
        raise Bad(covered)
    if (sealed and torn) or (closed and not sealed and not torn):
        raise Bad(len(lines))


def read_note(note, key_text, number):
    name, _, encoded = key_text.split("+", 2)
    raw_key = base64.b64decode(encoded)
    key_id = hashlib.sha256(name.encode() + b"\n" + raw_key).digest()[:4]
    try:
        text, signatures = note[: note.rindex("\n\n") + 1], note[note.rindex("\n\n") + 2 :]
        origin, size, root, end = text.split("\n")
        good = [line for line in signatures.splitlines() if line.startswith(f"— {name} ")]
        signed = [base64.b64decode(line.rsplit(" ", 1)[1], validate=True) for line in good]
        [mine] = [blob[4:] for blob in signed if blob[:4] == key_id]
        Ed25519PublicKey.from_public_bytes(raw_key[1:]).verify(mine, text.encode())
    except (ValueError, InvalidSignature, AttributeError):
        raise Bad(number) from None
    if origin != name or end:
        raise Bad(number)
    return int(size), base64.b64decode(root)


def root_of(lines):
    level = [hashlib.sha256(b"\x00" + line).digest() for line in lines]
    if not level:
        return hashlib.sha256(b"").digest()
    while (
        len(level) > 1
    ):  # RFC 6962: the largest power of two to the left is the same as pairing level by level
        paired = [
            hashlib.sha256(b"\x01" + a + b).digest() for a, b in zip(level[::2], level[1::2], strict=False)
        ]
        level = paired + level[len(level) - len(level) % 2 :]
    return level[0]


def check_binding(lines, events, key_text):
    for number, event in enumerate(events):
        if event["type"] != "launchworthy.stream.bound.v1":
            continue
        data = event["data"]
        size = data.get("size")
        if type(size) is not int or not 0 <= size <= min(number, 4096):
            raise Bad(number)
        if base64.b64encode(root_of(lines[:size])).decode() != data.get("root"):
            raise Bad(number)
        if data["kind"] == "token":
            return None
        payload = (
            f"launchworthy-audit-key/1\n{event['stream']}\n{key_text}\n{size}\n{data['root']}\n".encode()
        )
        try:
            chain = [load_der_x509_certificate(base64.b64decode(der, validate=True)) for der in data["chain"]]
            names = chain[0].extensions.get_extension_for_class(SubjectAlternativeName).value
            if names.get_values_for_type(UniformResourceIdentifier) != [event["source"]]:
                raise Bad(number)
            chain[0].public_key().verify(base64.b64decode(data["signature"]), payload, ECDSA(SHA256()))
        except (ValueError, InvalidSignature, UnsupportedAlgorithm, KeyError, IndexError, TypeError):
            raise Bad(number) from None
        return chain, event["time"]
    return None


def leads_to(roots, chain, time):
    from datetime import datetime

    if not roots:
        return False
    at = datetime.fromisoformat(time)
    verifier = PolicyBuilder().store(Store(list(roots))).time(at).build_client_verifier()
    try:
        verifier.verify(chain[0], chain[1:])
    except VerificationError:
        return False
    return True


def check_name(events, name):
    named = re.fullmatch(r"[0-9]{8}T[0-9]{12}Z-([0-9a-f]{32})\.jsonl", name)
    if named and events and events[0]["stream"] != named[1]:
        raise Bad(None)


def check_anchors(lines, key_text, anchors):
    for note in anchors:
        try:
            size, root = read_note(note, key_text, 0)
        except Bad:
            continue
        if size > len(lines) or root_of(lines[:size]) != root:
            raise Bad(min(size, len(lines)))


def verify_directory(files, *, anchors=(), **brought):
    """A directory, by name: the page's "Links and anchors"; of several files the worst counts."""
    names = sorted(files)
    found = {name: verify(files[name], name=name, anchors=anchors, **brought)[0] for name in names}
    first = {name: head(files[name]) for name in names}
    by_stream = {first[name]["stream"]: name for name in names if first[name]}
    changed = True
    while changed:
        changed = any(follow(name, files, found, first, by_stream) for name in names)
    believed = [name for name in names if found[name].startswith("intact")]
    excused = {
        event["data"]["deleted"]
        for name in believed
        for event in map(json.loads, files[name].split(b"\n")[:-1])
        if event["type"] == "launchworthy.stream.deleted.v1"
    }
    for name in believed:
        link = first[name]["data"].get("previous")
        gone = link is not None and link["stream"] not in by_stream and link["stream"] not in excused
        if gone and any(other.split("-")[0] < link["opened"] for other in names):
            return "tampered"
        last = [json.loads(line) for line in files[name].split(b"\n")[-3:-1]]
        following = {event["data"]["next"] for event in last if event["data"].get("next")} - excused
        if following - set(by_stream) and any(other > name for other in names):
            return "tampered"
    for state in ("tampered", "undecided", "intact-open"):
        if state in found.values():
            return state
    return "intact-sealed"


def head(content):
    line = content.split(b"\n")[0]
    try:
        return json.loads(line)
    except ValueError:
        return None


def follow(name, files, found, first, by_stream):
    """Hold what a believed stream says of the one before against that."""
    link = first[name]["data"].get("previous") if found[name].startswith("intact") else None
    earlier = by_stream.get(link["stream"]) if link is not None else None
    if earlier is None or found[earlier] == "tampered":
        return False
    lines = files[earlier].split(b"\n")[:-1]
    root = base64.b64encode(root_of(lines[: link["size"]])).decode()
    if len(lines) < link["size"] or root != link["root"]:
        found[earlier] = "tampered"
        return True
    events = [json.loads(line) for line in lines]
    bound = any(event["type"] == "launchworthy.stream.bound.v1" for event in events)
    if found[earlier] == "undecided" and not bound:  # and it never served, or it would be tampered
        closed = any(event["type"] == "launchworthy.stream.close.v1" for event in events)
        found[earlier] = "intact-sealed" if closed else "intact-open"
        return True
    return False
