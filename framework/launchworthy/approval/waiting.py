"""What waits for a person on the page, and what did they say? One sealed record for each question.

It lies in the shared state, is found by the 128 random bits of its address, and names them under its seal: a
record that somebody moves to another address, or writes himself, is none. It is changed once, from open to
what was said, and only if it is still what was read.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, Protocol

from launchworthy.approval.asked_call import AskedCall, canonical
from launchworthy.approval.question import REMEMBERED_SECONDS, TTL_SECONDS, Question
from launchworthy.approval.refusals import NotAnswered
from launchworthy.approval.seal import StateSeal
from launchworthy.approval.shown import shown_arguments
from launchworthy.manifest import ApprovalMode, ApprovalRule, ApproverClaim
from launchworthy.state import KeyPurpose, StateKey, Values, state_key
from launchworthy.state.refusals import Changed, NotKept

HANDLE_BITS: Final = 128


class Standing(StrEnum):
    """How a question stands."""

    OPEN = "open"
    APPROVED = "approved"
    DECLINED = "declined"


class Kept(Values, Protocol):
    """Where records are."""

    async def generation(self) -> str:
        """What changes when it may have forgotten one.

        Raises:
            Refused: `limit.store`.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Approver:
    """Who answered on the page.

    Attributes:
        issuer: who vouches for them.
        subject: who they are there.
    """

    issuer: str
    subject: str


def answered_by(approver: Approver | None) -> dict[str, str]:
    """Who answered, in the fields of records; nothing where nobody has."""
    return {} if approver is None else {"approver_issuer": approver.issuer, "approver": approver.subject}


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One question, as its page shows it.

    Attributes:
        handle: of its address.
        question: names it in records.
        asked_by: the call that asked.
        at: when, in seconds since the epoch.
        generation: of the store then.
        rule: who may answer.
        issuer: of the caller.
        subject: the caller.
        client: through which they call.
        tenant: whose the caller is; None where there is one tenant.
        actors: through whom besides.
        tool: its name.
        effect: what the manifest says that it does.
        arguments: every one, whole, as a person sees it.
        standing: whether it was answered.
        approver: by whom.
    """

    handle: str = field(repr=False)
    question: str
    asked_by: str
    at: int
    generation: str
    rule: ApprovalRule
    issuer: str
    subject: str
    client: str
    tenant: str | None
    actors: tuple[str, ...]
    tool: str
    effect: str
    arguments: tuple[tuple[str, str], ...] = field(repr=False)
    standing: Standing
    approver: Approver | None

    @property
    def not_after(self) -> int:
        """Until when an answer counts."""
        return self.at + TTL_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A record, and the bytes that it was read from: what a change is compared with."""

    waiting: Waiting
    read: bytes = field(repr=False)


class WaitingRoom:
    """The records of one server."""

    def __init__(self, seal: StateSeal, kept: Kept) -> None:
        """Hold where they are.

        Args:
            seal: of what waits.
            kept: what all replicas share.
        """
        self._seal = seal
        self._kept = kept

    async def open(self, question: Question, call: AskedCall, rule: ApprovalRule, effect: str) -> Waiting:
        """Let a question wait at its address.

        Raises:
            Refused: `limit.store`.
            ValueError: the question has no page.
        """
        if question.page is None:
            raise ValueError("this question is asked by a form")
        waiting = Waiting(
            handle=question.page,
            question=question.name,
            asked_by=question.asked_by,
            at=question.at,
            generation=question.generation,
            rule=rule,
            issuer=call.principal.issuer,
            subject=call.principal.subject,
            client=call.principal.client,
            tenant=call.principal.tenant,
            actors=call.principal.actors,
            tool=call.tool,
            effect=effect,
            arguments=shown_arguments(call),
            standing=Standing.OPEN,
            approver=None,
        )
        await self._kept.put(_key(waiting.handle), self._sealed(waiting), REMEMBERED_SECONDS)
        return waiting

    async def find(self, handle: str) -> Found:
        """What waits at an address.

        Raises:
            NotAnswered: nothing does, or what is there is none of ours.
            Refused: `limit.store`.
        """
        try:
            read = await self._kept.get(_key(handle))
        except NotKept:
            raise NotAnswered("nothing waits there, or not any more") from None
        waiting = _read(json.loads(self._seal.open(read.decode("ascii", "replace"))))
        if waiting.handle != handle:
            raise NotAnswered("what waits there belongs elsewhere")
        return Found(waiting=waiting, read=read)

    async def answer(self, found: Found, standing: Standing, approver: Approver | None) -> Waiting:
        """Write down what somebody said, for the first and last time.

        Raises:
            NotAnswered: it was answered before, or the store may have forgotten what was.
            Refused: `limit.store`.
        """
        waiting = found.waiting
        if waiting.standing is not Standing.OPEN:
            raise NotAnswered("it was answered before")
        if await self._kept.generation() != waiting.generation:
            raise NotAnswered("what remembers answers has changed since the question")
        answered = replace(waiting, standing=standing, approver=approver)
        try:
            await self._kept.compare_and_set(_key(waiting.handle), found.read, self._sealed(answered))
        except Changed:
            raise NotAnswered("it was answered before") from None
        return answered

    def _sealed(self, waiting: Waiting) -> bytes:
        return self._seal.seal(canonical(_said(waiting)).encode("ascii")).encode("ascii")


def _key(handle: str) -> StateKey:
    return state_key(KeyPurpose.VALUE, "approval", handle)


def _said(waiting: Waiting) -> Mapping[str, object]:
    rule, approver = waiting.rule, waiting.approver
    return {
        "v": 1,
        "handle": waiting.handle,
        "question": waiting.question,
        "asked_by": waiting.asked_by,
        "at": waiting.at,
        "generation": waiting.generation,
        "by": rule.by,
        "claim": None if rule.claim is None else [rule.claim.name, rule.claim.value],
        "max_age": rule.max_age,
        "acr": list(rule.acr),
        "issuer": waiting.issuer,
        "subject": waiting.subject,
        "client": waiting.client,
        "tenant": waiting.tenant,
        "actors": list(waiting.actors),
        "tool": waiting.tool,
        "effect": waiting.effect,
        "arguments": [list(each) for each in waiting.arguments],
        "standing": waiting.standing.value,
        "approver": None if approver is None else [approver.issuer, approver.subject],
    }


def _read(said: dict[str, Any]) -> Waiting:
    """Read what was sealed; it is our own, so it is as it was written."""
    claim, approver = said["claim"], said["approver"]
    return Waiting(
        handle=said["handle"],
        question=said["question"],
        asked_by=said["asked_by"],
        at=said["at"],
        generation=said["generation"],
        rule=ApprovalRule(
            mode=ApprovalMode.URL,
            by=said["by"],
            claim=None if claim is None else ApproverClaim(name=claim[0], value=claim[1]),
            max_age=said["max_age"],
            acr=tuple(said["acr"]),
        ),
        issuer=said["issuer"],
        subject=said["subject"],
        client=said["client"],
        tenant=said["tenant"],
        actors=tuple(said["actors"]),
        tool=said["tool"],
        effect=said["effect"],
        arguments=tuple((name, value) for name, value in said["arguments"]),
        standing=Standing(said["standing"]),
        approver=None if approver is None else Approver(issuer=approver[0], subject=approver[1]),
    )
