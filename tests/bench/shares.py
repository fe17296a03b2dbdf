"""To whom does the time of a profiled call belong? What a library does is its caller's, but for the SDK."""

import pstats
import re
from collections import Counter

Function = tuple[str, int, str]
OWN = re.compile(r"/launchworthy/([a-z_]+)/")
SDK = re.compile(r"/(mcp|mcp_types)/")
NAMES = {
    "enforcement": "the gate (rows, exchange, answers)",
    "audit": "the audit (two records, their chain and the file)",
    "policy": "the decision",
    "tokens": "the token (found again) and the strict parse",
    "manifest": "the manifest",
    "identity": "the identity's state",
    "server": "readiness and stops",
    "sdk": "the SDK (validation and serialisation of its models)",
}


def shares(stats: pstats.Stats) -> dict[str, float]:
    """Share of the whole by owner, the largest first."""
    table = stats.stats  # type: ignore[attr-defined]  # documented by use only
    owned: Counter[str] = Counter()
    for function, (_, _, own_time, _, callers) in table.items():
        for owner, part in _owners(function, callers, table, 6).items():
            owned[owner] += own_time * part
    known = {owner: time for owner, time in owned.items() if owner in NAMES}
    whole = sum(known.values())
    return {NAMES[owner]: time / whole for owner, time in Counter(known).most_common()}


def _owners(function: Function, callers: dict[Function, tuple], table: dict, depth: int) -> dict[str, float]:
    owner = _owner(function)
    if owner is not None or not callers or depth == 0:
        return {owner or "other": 1.0}
    whole = sum(spent[2] for spent in callers.values()) or 1e-12
    found: Counter[str] = Counter()
    for caller, spent in callers.items():
        above = table[caller][4] if caller in table else {}
        for owner, part in _owners(caller, above, table, depth - 1).items():
            found[owner] += part * spent[2] / whole
    return dict(found)


def _owner(function: Function) -> str | None:
    own = OWN.search(function[0])
    if own is not None:
        return own[1]
    return "sdk" if SDK.search(function[0]) else None


def as_table(found: dict[str, float]) -> list[str]:
    """Lines of Markdown."""
    lines = [
        "",
        "## Where a call's time goes",
        "",
        "A warm call through the gate, in one process, without sockets, under a profiler.",
        "What a library does belongs to whoever called it.",
        "",
        "| whose | share |",
        "|---|---|",
    ]
    return [*lines, *(f"| {name} | {share:.0%} |" for name, share in found.items() if share >= 0.005), ""]
