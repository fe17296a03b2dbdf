"""Is what the server hands out of use to anybody else who gets hold of it?

It keeps no session and no task, lists come whole, and a stream ends with its connection: the one thing that a
client is given to send back is the sealed question of an approval, and on the page its address. Each is
obtained as it is meant to be, then leaked whole: what counts is that no body is entered for whoever is not
its owner, and that the owner's own use, of the same handle, goes through afterwards.
"""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from html import escape
from itertools import combinations
from typing import Any, Final

import httpx2

from launchworthy.approval import TTL_SECONDS, Question, Sealed, StateSeal
from launchworthy.approval.question import read_question
from launchworthy.approval.seal import PURPOSE
from launchworthy.audit.reading import Record
from launchworthy.manifest import TargetManifest
from launchworthy.probe.probed import Target
from launchworthy.promotion.checks.assertions import broken, seen
from launchworthy.promotion.finding import Assertion, ControlId, NotApplicable
from launchworthy.promotion.project import Project
from launchworthy.promotion.registry import registry
from launchworthy.promotion.rehearsals.approval_page import address, on_page, people
from launchworthy.promotion.rehearsals.other_calls import another_value, with_arguments, with_other_character
from launchworthy.promotion.rehearsals.seen import Seen
from launchworthy.promotion.rehearsals.stage import Scene, Stage
from launchworthy.promotion.rehearsals.targets import as_target, asking, is_rehearsed
from launchworthy.settings import KeyRing
from launchworthy.testing.client import Client, Refused
from launchworthy.testing.visitor import Visitor
from launchworthy.vocabulary import Environment, Secret

AZ_08: Final = "AZ-08"
_MANY: Final = 8
_DIGITS: Final = 32
"""Hex digits of 128 bits."""
_UNLIKE: Final = 20
"""Bits in which two random numbers of 128 differ at least: that two do not is a chance of 1 in 10^14."""
_PAST: Final = TTL_SECONDS + 1
_YOUNG: Final = TTL_SECONDS // 4
_SHOWN: Final = 6
"""Characters of an argument that stands on no page by chance."""
_UNREADABLE: Final = ("tool.denied",)
_OF_ANOTHER_CALL: Final = ("approval.replayed", "tool.denied")
_AFTER_FORM: Final = len("lw1.")
_CLIENT: Final = "another-agent"
Answer = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Leak:
    """One use of a handle that is not its owner's own.

    Attributes:
        what: in words.
        by: who sends it.
        asked: the call that it is sent with.
        sealed: the handle, as it is sent.
        events: what the audit holds of that call, and nothing else.
        may_be_invalid: whether the tool may not take its arguments at all: then nobody looks at the handle.
    """

    what: str
    by: Client
    asked: Target
    sealed: str
    events: tuple[str, ...]
    may_be_invalid: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Owner:
    """Somebody who got a handle as it is meant to be.

    Attributes:
        client: with their token.
        person: who they are.
        asked: the call that they were asked about.
        question: what they were answered.
    """

    client: Client
    person: str
    asked: Target
    question: Answer

    @property
    def sealed(self) -> str:
        """The handle."""
        return str(self.question["requestState"])


class _Callers:
    """Everybody who calls in one scene, and the key that its world has lent to the server."""

    def __init__(self, stage: Stage, scene: Scene, stack: ExitStack) -> None:
        self._stage, self._world, self._stack = stage, scene.world, stack
        ring = KeyRing(scene.world.approval_key_file, purpose=PURPOSE, environment=Environment.REHEARSAL)
        self._seal = StateSeal(ring, scene.world.url, Sealed.QUESTION, secrets.randbits)

    def owner(self, asked: Target) -> _Owner:
        """Somebody who has not called before, and is asked about this call."""
        token, person = self._world.persons_token(*self._stage.scopes)
        client = self._client(token, person)
        return _Owner(
            client=client, person=person, asked=asked, question=client.request(asked.method, asked.params)
        )

    def another(self, **differs: Any) -> Client:
        """Who differs from a caller in nothing but this."""
        return self._client(*self._world.persons_token(*self._stage.scopes, **differs))

    def opened(self, sealed: str) -> Question:
        """What is in a handle."""
        return read_question(self._seal.open(sealed))

    def aged(self, sealed: str, seconds: int) -> str:
        """The same handle, as if it had been given out so many seconds ago."""
        question = self.opened(sealed)
        return self._seal.seal(replace(question, at=question.at - seconds).content())

    def _client(self, token: Secret, person: str) -> Client:
        world = self._world
        return self._stack.enter_context(Client(world.url, token, tls=world.tls, approve=True, person=person))


@registry.check(AZ_08)
def what_is_handed_out(project: Project) -> Iterator[Assertion]:
    """Which tools give out a handle, and whether there is an example to get one with."""
    giving = asking(project)
    if not giving:
        raise NotApplicable("no manifest says that somebody must approve a call; nothing else gives a handle")
    for target in giving:
        if target.example is None:
            what = f"`{target.name}` gives out handles, and has no example to get one with"
            yield broken(what, target.where, "give it an `example`")
        else:
            what = " and the address of its page" if on_page(target) else ""
            yield seen(f"`{target.name}` gives out the sealed question of an approval{what}")


def leaked_handles(stage: Stage, scene: Scene, target: TargetManifest) -> Iterator[Seen]:
    """Get each handle of a target as it is meant to be, and have everybody else use it.

    Args:
        stage: of the rehearsal.
        scene: whose world is as in production.
        target: asks somebody, and has an example.
    """
    with ExitStack() as stack:
        callers = _Callers(stage, scene, stack)
        yield from _random(callers, target)
        owner = callers.owner(as_target(target))
        yield _nothing_else(target, owner)
        if on_page(target):
            yield from _leaked_address(scene, callers, target, owner)
        answer = _said_yes(scene, target, owner)
        for leak in _leaks(stage, callers, target, owner):
            yield _tried(scene, target, leak, answer)
        if is_rehearsed(target):
            yield _own(scene, target, owner, answer, "counts for its owner, after all that")
            other = callers.owner(as_target(target))
            aged = {**_said_yes(scene, target, other), "requestState": callers.aged(other.sealed, _YOUNG)}
            yield _own(scene, target, other, aged, f"counts for its owner after {_YOUNG} s")


def _random(callers: _Callers, target: TargetManifest) -> Iterator[Seen]:
    """Handles of callers of whom each has one."""
    sealed = [callers.owner(as_target(target)).sealed for _ in range(_MANY)]
    questions = [callers.opened(each) for each in sealed]
    numbers = {"the number in its handle": [each.nonce for each in questions]}
    if on_page(target):
        numbers["the address of its page"] = [each.page or "" for each in questions]
    for name, found in numbers.items():
        yield _saw(
            target,
            len(set(sealed)) == _MANY and _unlike(found),
            f"{name}: 128 bits, and no two of {_MANY} are alike",
            f"{name}: of {_MANY}, some are not 128 bits long, or too much alike",
        )


def _nothing_else(target: TargetManifest, owner: _Owner) -> Seen:
    """Whether a list or an answer gives out a handle that nobody looks at here."""
    listed = owner.client.send("tools/list", {})
    given = {"nextCursor", "taskId"}.intersection(listed.json().get("result", {"nextCursor": None}))
    session = "mcp-session-id" in listed.headers
    return _saw(
        target,
        not given and not session,
        "is listed whole: no cursor, task or session is handed out",
        f"is listed with {', '.join(sorted(given)) or 'a session'}, which is a handle too",
    )


def _unlike(numbers: list[str]) -> bool:
    return all(len(each) == _DIGITS for each in numbers) and all(
        (int(one, 16) ^ int(two, 16)).bit_count() >= _UNLIKE for one, two in combinations(numbers, 2)
    )


def _leaked_address(scene: Scene, callers: _Callers, target: TargetManifest, owner: _Owner) -> Iterator[Seen]:
    """Somebody else opens the address and signs in; then whoever it is for."""
    url, name = address(owner.question), callers.opened(owner.sealed).name
    may, (*_, stranger) = people(target, owner.person)
    with Visitor(tls=scene.world.tls) as visitor:
        changed = visitor.open(with_other_character(url, len(url) - 1)).status_code
        pages = visitor.open(url).text + visitor.sign_in(url, stranger).text + visitor.open(url).text
    with Visitor(tls=scene.world.tls) as visitor:
        own = visitor.sign_in(url, may)
    given = [str(each) for each in owner.asked.params["arguments"].values()]
    shown = [each for each in map(escape, given) if len(each) >= _SHOWN and each in own.text]
    told = tuple(each.type for each in scene.records() if _is_visit(each, name))
    yield _saw(
        target,
        own.status_code == httpx2.codes.OK,
        "shows the page at its address to whoever may answer",
        f"answers {own.status_code} at its address to whoever may answer",
        is_twin=True,
    )
    yield _saw(
        target,
        changed == httpx2.codes.NOT_FOUND,
        "has nothing at its address with one character changed",
        f"answers {changed} at its address with one character changed",
    )
    yield _saw(
        target,
        not any(each in pages for each in shown),
        "shows nothing of the call to somebody else who has its address and signs in",
        "shows the call to somebody else who has its address and signs in",
    )
    yield _saw(
        target,
        told == ("approval.turned_away",),
        "leaves one record of somebody else at its address",
        f"leaves these records of somebody else at its address: {', '.join(told) or 'none'}",
    )


def _is_visit(record: Record, name: str) -> bool:
    """Whether it is about what happened at the address of a question."""
    return record.data.get("approval") == name and record.type in {
        "approval.turned_away",
        "approval.answered",
    }


def _said_yes(scene: Scene, target: TargetManifest, owner: _Owner) -> Answer:
    """What the owner sends with the call when somebody has said yes to it."""
    if not on_page(target):
        return owner.client.answer_to(owner.question)
    with Visitor(tls=scene.world.tls) as visitor:
        visitor.answer(address(owner.question), yes=True, caller=owner.person)
    opened = {key: {"action": "accept"} for key in owner.question["inputRequests"]}
    return {"inputResponses": opened, "requestState": owner.sealed}


def _leaks(stage: Stage, callers: _Callers, target: TargetManifest, owner: _Owner) -> Iterator[_Leak]:
    """Everybody else, everything else, every other time, and what is nearly the handle."""
    asked, sealed, person = owner.asked, owner.sealed, owner.person

    def leak(
        what: str,
        *,
        by: Client = owner.client,
        asked: Target = asked,
        sealed: str = sealed,
        events: tuple[str, ...] = _OF_ANOTHER_CALL,
        may_be_invalid: bool = False,
    ) -> _Leak:
        return _Leak(
            what=what, by=by, asked=asked, sealed=sealed, events=events, may_be_invalid=may_be_invalid
        )

    yield leak("another subject of the same client", by=callers.another())
    yield leak("another client of the same subject", by=callers.another(subject=person, client=_CLIENT))
    yield leak(
        "somebody who acts for the same subject",
        by=callers.another(subject=person, act={"sub": _CLIENT}),
    )
    for name, value in asked.params["arguments"].items():
        changed = with_arguments(asked, {**asked.params["arguments"], name: another_value(value)})
        yield leak(f"its owner, with another `{name}`", asked=changed, may_be_invalid=True)
    for other in asking(stage.project):
        if other.name != target.name and other.example is not None:
            yield leak(f"its owner, for `{other.name}`", asked=as_target(other))
    for place in sorted({_AFTER_FORM, len(sealed) // 3, len(sealed) // 2, len(sealed) - 1}):
        yield leak(
            f"its owner, with character {place + 1} changed",
            sealed=with_other_character(sealed, place),
            events=_UNREADABLE,
        )
    yield leak(
        f"its owner, {_PAST} s after it was given out",
        sealed=callers.aged(sealed, _PAST),
        events=_UNREADABLE,
    )


def _tried(scene: Scene, target: TargetManifest, leak: _Leak, answer: Answer) -> Seen:
    """Send a leaked handle."""
    scene.world.executions.taken()
    call, invalid = None, False
    try:
        result = leak.by.request(
            leak.asked.method, {**leak.asked.params, **answer, "requestState": leak.sealed}
        )
        came, invalid = "it is answered", leak.may_be_invalid and result.get("isError") is True
    except Refused as refused:
        call, came = refused.call, f"{refused.status} {refused.reason}"
    runs = scene.world.executions.taken()
    if invalid and runs == 0:
        return _saw(target, holds=True, good=f"takes no such call from {leak.what}", bad="")
    told = tuple(each.type for each in scene.records() if call is not None and each.data.get("call") == call)
    return _saw(
        target,
        call is not None and runs == 0 and told == leak.events,
        f"refuses its handle from {leak.what}, and the audit says so: {', '.join(told)}",
        f"with its handle from {leak.what}: {came}, {runs} bodies entered; "
        f"in the audit: {', '.join(told) or 'nothing'}",
    )


def _own(scene: Scene, target: TargetManifest, owner: _Owner, answer: Answer, what: str) -> Seen:
    """The positive twin: the owner's own use."""
    scene.world.executions.taken()
    with suppress(Refused):
        owner.client.request(owner.asked.method, {**owner.asked.params, **answer})
    runs = scene.world.executions.taken()
    return _saw(target, runs == 1, f"handle {what}", f"handle: {runs} runs where it {what}", is_twin=True)


def _saw(
    target: TargetManifest,
    holds: bool,  # noqa: FBT001 - as `saw`
    good: str,
    bad: str,
    *,
    is_twin: bool = False,
) -> Seen:
    what = f"`{target.name}` {good if holds else bad}"
    return ControlId(AZ_08), Assertion(holds=holds, what=what, where=target.where, requests=1, twin=is_twin)
