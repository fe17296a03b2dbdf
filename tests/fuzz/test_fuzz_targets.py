"""Every target of the fuzzer holds for its own seeds, and notices what it is there to notice."""

import dataclasses
import random
from pathlib import Path

import fuzz_targets
import pytest
from fuzz_targets import TARGETS, court, fuzz_canonical, fuzz_claims, fuzz_token

from launchworthy.vocabulary import Principal

FOUND = Path(__file__).parent / "found"
"""Bytes that crashed a target once: `found/<target>/…`."""


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_and_what_was_found_before_do_not_crash(name: str) -> None:
    seeds = list(TARGETS[name].seeds())
    assert seeds
    found = [path.read_bytes() for path in sorted((FOUND / name).glob("*"))]
    chance = random.Random(name)  # noqa: S311 - the same few changes in every run
    for data in (*seeds, *found):
        TARGETS[name].run(data)
        changed = bytearray(data)
        for _ in range(3):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        TARGETS[name].run(bytes(changed))


def test_a_caller_out_of_nothing_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    other = court.minter.mint(court.grant)
    with pytest.raises(ValueError, match="nobody issued"):
        fuzz_token(other.encode())
    fuzz_token(court.good.encode())
    fuzz_claims(court.claims())
    far = dataclasses.replace(caller_of(court.good), expires_at=fuzz_targets.NOW + 10_000)
    monkeypatch.setattr(fuzz_targets, "principal_of", lambda *_: far)
    with pytest.raises(ValueError, match="breaks a rule"):
        fuzz_claims(court.claims())


def caller_of(token: str) -> Principal:
    caller = court.outcome(token)
    assert isinstance(caller, Principal)
    return caller


def test_an_accident_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz_targets, "parse_canonical", lambda _: {"a": 1})
    with pytest.raises(ValueError, match="two ways"):
        fuzz_canonical(b"{}")
