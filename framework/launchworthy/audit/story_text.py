"""How do rows and a call's story look in a terminal? As `launchworthy audit show` prints them.

Whatever stands in a file is made safe again before it is shown: the file may not be what was written.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from launchworthy.audit.moment import parse_rfc3339
from launchworthy.audit.reading import Record
from launchworthy.audit.sanitiser import sanitise
from launchworthy.audit.story import CallStory, Row, Verdict
from launchworthy.audit.verdict import State, StreamVerdict

_MINUTE = 60
_SHORT = 4
_LABEL, _LEFT, _STEP, _SAID = 11, 60, 21, 41
_ENDED = {
    "ok": "done",
    "tool_error": "the tool said no",
    "error": "failed",
    "cancelled": "cancelled",
    "timeout": "timed out",
    "not_dispatched": "never ran",
}


def render_rows(rows: Iterable[Row]) -> Iterator[str]:
    """A line for each request."""
    for row in rows:
        time = row.time.strftime("%Y-%m-%d %H:%M:%S.") + f"{row.time.microsecond // 1000:03d}"
        how_long = "" if row.milliseconds is None else f"{row.milliseconds / 1000:.3f} s"
        many = f" ({row.count} times)" if row.count > 1 else ""
        what = f"{_verdict(row)}: {_safe(row.why)}" if row.verdict is Verdict.DENIED else _verdict(row)
        parts = (time, f"{_safe(row.target):<20}", f"{what + many:<28}", f"{_who(row):<32}", f"{how_long:>9}")
        yield "  ".join((*parts, _safe(row.call))).rstrip()


def render_record(record: Record) -> str:
    """A line for any record: when, what, and what it says."""
    said = ", ".join(f"{_safe(name)} = {_value(value)}" for name, value in record.data.items())
    return f"{record.time[:10]} {record.time[11:23]}  {_safe(record.type):<{_STEP}}  {said}  #{record.seq}"


def render_call(story: CallStory, verdict: StreamVerdict | None) -> str:
    """The whole story of one call, as a page.

    Args:
        story: of the call.
        verdict: of the stream that holds it; None where nothing was verified, which is said.
    """
    row, asked = story.row, story.asked.data
    time = row.time.strftime("%Y-%m-%d %H:%M:%S.") + f"{row.time.microsecond // 1000:03d} UTC"
    head = f"{_safe(row.target) or 'a request'}   {_verdict(row)}"
    facts = (
        ("who", _principal(asked), ""),
        ("with", _token(asked), _label("jti", asked.get("token_id"), "hmac:")),
        ("asked", _arguments(asked.get("arguments")), ""),
        ("decided", _decided(row, asked), _versions(asked)),
        ("approved", _approved(story), ""),
        ("lifted", _lifted(story), ""),
        ("answered", _answered(story), _label("trace", asked.get("trace"))),
    )
    lines = [f"{head:<65}{time}", ""]
    lines += [_fact(name, left, right) for name, left, right in facts if left]
    lines += ["", *_steps(story), "", _integrity(story, verdict)]
    owner = (("owner", story.owner), ("on call", story.on_call), ("", story.runbook))
    said = " · ".join(f"{name} {_safe(value)}".strip() for name, value in owner if value)
    return "\n".join((*lines, said) if said else lines) + "\n"


def _verdict(row: Row) -> str:
    if row.verdict is Verdict.ASKED:
        return "approval asked"
    if row.verdict is not Verdict.ALLOWED:
        return row.verdict.value
    return f"allowed, {_ENDED.get(row.ended, 'ended') if row.ended is not None else 'outcome unknown'}"


def _who(row: Row) -> str:
    if row.subject is None:
        return "a stranger"
    return f"{_safe(row.subject)} through {_safe(row.client)}" if row.client else _safe(row.subject)


def _principal(asked: Mapping[str, Any]) -> str:
    """Subject, kind, client, the agents between them, issuer."""
    if not asked.get("subject"):
        sources = asked.get("sources")
        came = f", from {_words(sources)}" if sources else ""
        return f"a stranger: no token that could be believed{came}"
    kind = f" ({_safe(asked['kind'])})" if asked.get("kind") else ""
    client = f" through `{_safe(asked['client'])}`" if asked.get("client") else ""
    actors = f" acting: {_words(asked['actors'])}" if asked.get("actors") else ""
    issuer = f" issuer {_safe(asked['issuer'])}" if asked.get("issuer") else ""
    return f"subject {_safe(asked['subject'])}{kind}{client}{actors}{issuer}"


def _token(asked: Mapping[str, Any]) -> str:
    scopes = _words(asked.get("scopes")) or "no scopes"
    age = asked.get("token_age")
    if not asked.get("subject"):
        return ""
    if not isinstance(age, int):
        return scopes
    old = f"{age // _MINUTE} min" if age >= _MINUTE else f"{age} s"
    return f"a token {old} old: {scopes}"


def _arguments(arguments: object) -> str:
    """`order_id = 1042, reason dropped (38 characters)`."""
    if not isinstance(arguments, Mapping):
        return ""
    return ", ".join(_argument(_safe(name), shown) for name, shown in arguments.items())


def _argument(name: str, shown: object) -> str:
    match shown:
        case {"clear": value}:
            return f"{name} = {_safe(value)}"
        case {"hmac": digest}:
            return f"{name} hmac:{_short(str(digest).rpartition(':')[2])}"
        case {"drop": _, "length": int(length)}:
            return f"{name} dropped ({length} characters)"
        case {"drop": kind}:
            return f"{name} dropped ({_safe(kind)})"
        case _:
            return f"{name} = ?"


def _decided(row: Row, asked: Mapping[str, Any]) -> str:
    if row.verdict is Verdict.ALLOWED:
        return f"allow by {_safe(row.why)}" if row.why else "allow"
    if row.verdict is Verdict.SERVED:
        return ""
    if row.verdict is Verdict.ASKED:
        return f"ask, by {_safe(row.why)}" if row.why else "ask"
    rules = f" by {_words(asked['rules'])}" if asked.get("rules") else ""
    missing = f", missing {_words(asked['missing_scopes'])}" if asked.get("missing_scopes") else ""
    detail = f": {_safe(asked['detail'])}" if asked.get("detail") else ""
    return f"deny{rules}, {_safe(row.why)}{missing}{detail}"


def _versions(asked: Mapping[str, Any]) -> str:
    policy, manifests = (
        _label("policy", asked.get("policy_digest")),
        _label("manifests", asked.get("manifest_digest")),
    )
    return f"{policy}  {manifests}".strip()


def _approved(story: CallStory) -> str:
    """`by subject 00u4f2c on the approval page, 41 s before, for exactly this call`."""
    granted = next((step.data for step in story.steps if step.type == "approval.granted"), None)
    if granted is None:
        return ""
    where = "on the approval page" if granted.get("approval_method") == "url" else "as the client says"
    who = f"subject {_safe(granted['approver'])}" if granted.get("approver") else "its caller"
    age = granted.get("age")
    when = f", {age} s before" if isinstance(age, int) else ""
    return f"by {who} {where}{when}, for exactly this call"


def _lifted(story: CallStory) -> str:
    used = next((step.data for step in story.steps if step.type == "breakglass.used"), None)
    if used is None:
        return ""
    return f"{_words(used.get('lifted'))} by grant {_safe(used.get('grant'))}, {_safe(used.get('incident'))}"


def _answered(story: CallStory) -> str:
    if story.ended is None:
        return f"status {_safe(story.asked.data['status'])}" if "status" in story.asked.data else ""
    size = story.ended.data.get("result_bytes")
    said = "nothing" if size is None else f"{_safe(size)} bytes"
    return f"{said} in {(story.row.milliseconds or 0) / 1000:.3f} s"


def _steps(story: CallStory) -> Iterator[str]:
    """Each record: when, what, what it says, where it stands."""
    begin = story.row.time
    for number, step in enumerate(story.steps):
        after = f"{(parse_rfc3339(step.time) - begin).total_seconds():+.3f}"
        where = _safe(story.instance or step.stream[:8]) if number == 0 else _lease(step)
        yield f"  {after}  {_safe(step.type):<{_STEP}}{_said(step):<{_SAID}}{where:<16}#{step.seq}"


def _said(step: Record) -> str:
    data = step.data
    if step.type.endswith(".attempt"):
        then = "the tool ran" if step.type == "tool.attempt" else "it was answered"
        return f"on disk before {then}" if data.get("durable") is True else f"written before {then}"
    family = step.type.partition(".")[0]
    if family == "credential":
        return _borrowed(step)
    if family == "approval":
        return _answer(data)
    return _safe(data.get("outcome") or data.get("reason") or data.get("status") or data.get("grant") or "")


def _lease(step: Record) -> str:
    lease = step.data.get("lease")
    return f"lease {_safe(lease)[:_SHORT]}" if isinstance(lease, str) else ""


def _borrowed(step: Record) -> str:
    """`payments: refunds:create, for 2 min`."""
    data = step.data
    until = data.get("not_after")
    begun = parse_rfc3339(step.time).timestamp()
    live = max(0, round(until - begun)) if isinstance(until, int) else None
    parts = (
        _words(data.get("scopes")),
        "" if live is None else f"for {_lasting(live)}",
        _safe(data.get("detail")),
    )
    return f"{_safe(data.get('credential'))}: {', '.join(part for part in parts if part)}"


def _answer(data: Mapping[str, Any]) -> str:
    """Who answered, how, and when."""
    age = data.get("age")
    parts = (
        _safe(data.get("approver")),
        f"after {_lasting(age)}" if isinstance(age, int) else "",
        _safe(data.get("detail")),
    )
    return ", ".join(part for part in parts if part) or _safe(data.get("approval_method"))


def _lasting(seconds: int) -> str:
    return f"{round(seconds / _MINUTE)} min" if seconds >= _MINUTE else f"{seconds} s"


def _integrity(story: CallStory, verdict: StreamVerdict | None) -> str:
    """What can be said of the records that this page is made of."""
    if verdict is None:
        return "not verified: launchworthy audit verify"
    if verdict.state in (State.TAMPERED, State.UNDECIDED):
        return verdict.summary()
    if story.steps[-1].seq >= verdict.sealed_to:
        return "intact, not sealed yet"
    at = f", checkpoint {verdict.sealed_at[11:19]}" if verdict.sealed_at else ""
    return f"intact and sealed up to #{verdict.sealed_to - 1}{at}"


def _fact(name: str, left: str, right: str) -> str:
    start = f"{name:<{_LABEL}}{left}"
    return f"{start:<{_LEFT}}{right}" if len(start) < _LEFT and right else f"{start} {right}".rstrip()


def _label(name: str, digest: object, kind: str = "") -> str:
    return f"{name} {kind}{_short(digest.rpartition(':')[2])}" if isinstance(digest, str) and digest else ""


def _short(digest: str) -> str:
    return f"{_safe(digest[:_SHORT])}…"


def _words(value: object) -> str:
    return " ".join(_safe(word) for word in value) if isinstance(value, list | tuple) else ""


def _value(value: object) -> str:
    return _safe(value if isinstance(value, str | int) else json.dumps(value, sort_keys=True))


def _safe(value: object) -> str:
    return sanitise(value if isinstance(value, str) else str(value)) if value is not None else ""
