"""Who may answer on the page, and what is no answer there?

Everything that must not decide is tried on one question; after each the page is opened by a stranger, and
must still wait for an answer. In the end the call comes again and must not run. A second question is declined
on the page, and must not run either.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import httpx2

from launchworthy.manifest import ApprovalMode, TargetManifest
from launchworthy.probe.probed import Target
from launchworthy.promotion.rehearsals.other_calls import with_other_character
from launchworthy.promotion.rehearsals.seen import Seen, saw
from launchworthy.promotion.rehearsals.stage import Scene, Stage
from launchworthy.testing.client import Client, Refused
from launchworthy.testing.visitor import APPROVER, Visitor

_AZ_07 = "AZ-07"
_IMPATIENT = 2.0
"""Seconds after which a caller leaves: the server waits longer than that for an answer."""
_STRANGER = "a-stranger"
_NO_TOKEN = "0" * 32
_HANDLE = re.compile("[0-9a-f]{32}$")


def on_page(target: TargetManifest) -> bool:
    """Whether it is approved on the page."""
    return target.approval is not None and target.approval.mode is ApprovalMode.URL


def whom_the_page_is_for(stage: Stage, scene: Scene, target: TargetManifest, asked: Target) -> Iterator[Seen]:
    """Try everything on the page that is no answer of who may give one."""
    world = scene.world
    token, caller = world.persons_token(*stage.scopes)
    with Client(world.url, token, tls=world.tls, approve=True, person=caller, timeout=_IMPATIENT) as agent:
        question = agent.request(asked.method, asked.params)
        url = address(question)
        may, may_not = people(target, caller)
        for what, attempt in _attempts(scene, url, may, may_not):
            with Visitor(tls=world.tls) as visitor, suppress(httpx2.TransportError):
                attempt(visitor)
            with Visitor(tls=world.tls) as stranger:
                waits = stranger.open(url).status_code == httpx2.codes.OK
            yield _saw(target, waits, f"waits on after {what}", f"is decided by {what}")
            if not waits:
                return
        runs = _runs(scene, agent, asked, question)
        yield _saw(target, runs == 0, "does not run while nobody has answered", "runs unanswered")
        with Visitor(tls=world.tls) as visitor:
            visitor.answer(url, yes=False, caller=caller)
        runs = _runs(scene, agent, asked, question)
        yield _saw(target, runs == 0, "does not run for a no on its page", "runs for a no on its page")


def people(target: TargetManifest, caller: str) -> tuple[str, tuple[str, ...]]:
    """Who may answer, and who may not."""
    if target.approval is not None and target.approval.by == "approvers":
        return APPROVER, (caller, _STRANGER)
    return caller, (APPROVER, _STRANGER)


def _attempts(
    scene: Scene, url: str, may: str, may_not: tuple[str, ...]
) -> Iterator[tuple[str, Callable[[Visitor], object]]]:
    for person in may_not:
        who = "its caller" if person.startswith("person-") else f"`{person}`"
        yield f"a yes of {who}, who may not answer", partial(_insist, url=url, person=person)
    yield "its address being opened", partial(_opened, url=url)
    yield "a sign-in alone", partial(Visitor.sign_in, url=url, person=may)
    yield "a form of nobody who has signed in", partial(_pressed, url=url)
    yield "a form without its token", partial(_forged, url=url, person=may)
    yield "a visit whose cookie was changed", partial(_tampered, url=url, person=may)
    yield "a sign-in that another browser began", partial(_stolen, url=url, person=may, scene=scene)


def _opened(visitor: Visitor, url: str) -> None:
    visitor.open(f"{url}?answer=approve")


def _pressed(visitor: Visitor, url: str) -> None:
    """The button, if there is one; without it, what it would send."""
    visitor.post(url, {"token": _NO_TOKEN, **visitor.form(url), "answer": "approve"})


def _insist(visitor: Visitor, url: str, person: str) -> None:
    visitor.sign_in(url, person)
    _pressed(visitor, url)


def _forged(visitor: Visitor, url: str, person: str) -> None:
    visitor.sign_in(url, person)
    visitor.post(url, {"answer": "approve"})
    visitor.decide(url, yes=True, token=_NO_TOKEN)


def _tampered(visitor: Visitor, url: str, person: str) -> None:
    """The token of the form as it was, and one character of the cookie not."""
    visitor.sign_in(url, person)
    form = visitor.form(url)
    for cookie in visitor.cookies.jar:
        value = cookie.value or ""
        cookie.value = with_other_character(value, len(value) // 2)
    visitor.post(url, {**form, "answer": "approve"})


def _stolen(visitor: Visitor, url: str, person: str, scene: Scene) -> None:
    back = visitor.authenticate(visitor.begin(url), person)
    with Visitor(tls=scene.world.tls) as other:
        other.come_back(back)
        _pressed(other, url)


def address(question: dict[str, Any]) -> str:
    """Of the page of a question.

    Raises:
        ValueError: there is none that nobody could guess.
    """
    [asked] = question["inputRequests"].values()
    url = str(asked["params"]["url"])
    if _HANDLE.search(url) is None:
        raise ValueError("the address of the page does not end with 128 random bits")
    return url


def _runs(scene: Scene, agent: Client, asked: Target, question: dict[str, Any]) -> int:
    """How often the body is entered when the call comes again, as if its page had been answered."""
    scene.world.executions.taken()
    opened = {key: {"action": "accept"} for key in question["inputRequests"]}
    answer = {"inputResponses": opened, "requestState": question["requestState"]}
    with suppress(Refused, httpx2.TransportError):
        agent.request(asked.method, {**asked.params, **answer})
    return scene.world.executions.taken()


def _saw(target: TargetManifest, holds: bool, good_word: str, bad_word: str) -> Seen:  # noqa: FBT001 - as `saw`
    good, bad = f"`{target.name}` {good_word}", f"`{target.name}` {bad_word}"
    return saw(_AZ_07, holds, good, bad, requests=1, where=target.where)
