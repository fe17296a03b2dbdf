"""Does somebody's yes count for exactly the call that they saw, and once?

Each tool that asks somebody is called with its example by a client whose user always says yes, on the page
where the manifest says so; then the answer is sent with everything that it was not meant for. What counts is
whether the body was entered, not what was answered.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from typing import Any

from launchworthy.approval.answerable import require_somebody_to_ask
from launchworthy.manifest import TargetManifest
from launchworthy.probe.probed import Target
from launchworthy.promotion.checks.assertions import broken, seen
from launchworthy.promotion.finding import Assertion, NotApplicable
from launchworthy.promotion.project import Project
from launchworthy.promotion.registry import registry
from launchworthy.promotion.rehearsals.approval_page import on_page, whom_the_page_is_for
from launchworthy.promotion.rehearsals.handles import AZ_08, leaked_handles
from launchworthy.promotion.rehearsals.other_calls import another_value, with_arguments, with_other_character
from launchworthy.promotion.rehearsals.seen import Seen, good, saw, twin
from launchworthy.promotion.rehearsals.stage import Scene, Stage
from launchworthy.promotion.rehearsals.targets import as_target, asking, declared, is_rehearsed
from launchworthy.state.replicas import require_answers_shared
from launchworthy.testing.client import LEGACY, MODERN, Client, Refused
from launchworthy.vocabulary import ProblemError

_AZ_07 = "AZ-07"
_RACING = 20
Answer = dict[str, Any]


@registry.check(_AZ_07)
def somebody_is_asked(project: Project) -> Iterator[Assertion]:
    """Which tools ask somebody; replicas share what that takes, and each can be asked about."""
    asks = asking(project)
    if not asks:
        unasked = "".join(
            f"; `{each.name}` asks nobody: {each.approval_reason}"
            for each in declared(project)
            if each.approval_reason is not None
        )
        raise NotApplicable(f"no manifest says that somebody must approve a call{unasked}")
    for required in (require_answers_shared, require_somebody_to_ask):
        try:
            required(project.settings, asks)
        except ProblemError as refused:
            problem = refused.problems[0]
            yield broken(problem.what, problem.where, *problem.fix)
    for target in declared(project):
        if target.approval_reason is not None:
            yield seen(f"`{target.name}` asks nobody: {target.approval_reason}")
    for target in asks:
        if target.example is None:
            what = f"`{target.name}` asks somebody, and has no example to ask about"
            yield broken(what, target.where, "give it an `example`")
        else:
            yield seen(f"`{target.name}` asks before each call: {target.approval}")


@registry.rehearsal(_AZ_07, AZ_08)
def a_yes_and_what_it_is_not_for(stage: Stage) -> Iterator[Seen]:
    """Approve one call, and try everything else with it; leak what was handed out for it."""
    asks = [each for each in asking(stage.project) if each.example is not None]
    if not asks:
        return
    with stage.scene() as scene:
        for control in (_AZ_07, AZ_08):
            yield twin(control, good(scene.prober))
        for target in asks:
            if _AZ_07 in stage.wanted:
                yield from _rehearsed(stage, scene, target)
            if AZ_08 in stage.wanted:
                yield from leaked_handles(stage, scene, target)


def _rehearsed(stage: Stage, scene: Scene, target: TargetManifest) -> Iterator[Seen]:
    asked = as_target(target)
    with ExitStack() as stack:

        def client(*, approve: bool | None = True, revision: str = MODERN) -> Client:
            return stack.enter_context(scene.world.client(*stage.scopes, approve=approve, revision=revision))

        caller = client()
        question, runs = _sent(scene, caller, asked)
        held = question is not None and question.get("resultType") == "input_required"
        yield _saw(target, held and runs == 0, "is asked about before it runs", f"runs {runs} times unasked")
        if question is None or not held:
            return
        answer = caller.answer_to(question)
        for what, attempt in _attempts(client, caller, asked, answer, scene.probed.revisions):
            _, runs = _taken(scene, attempt)
            yield _saw(target, runs == 0, f"does not run {what}", f"runs {what}")
        yield from _declined(scene, target, caller, asked)
        if on_page(target):
            yield from whom_the_page_is_for(stage, scene, target, asked)
        if is_rehearsed(target):
            with ThreadPoolExecutor(_RACING) as pool:
                _, runs = _taken(
                    scene,
                    lambda: list(pool.map(lambda _: _try(caller, asked, answer), range(_RACING))),
                )
            good_run, bad = "runs once for the answer to its question", f"runs {runs} times for one answer"
            yield _saw(target, runs == 1, f"{good_run}, sent {_RACING} times at once", bad)


def _attempts(
    client: Callable[..., Client],
    caller: Client,
    asked: Target,
    answer: Answer,
    revisions: tuple[str, ...],
) -> Iterator[tuple[str, Callable[[], object]]]:
    """Everything that the answer was not meant for."""
    arguments: Mapping[str, Any] = asked.params.get("arguments", {})
    sealed = str(answer["requestState"])
    changed = {**answer, "requestState": with_other_character(sealed, len(sealed) // 2)}
    yield "for another caller's answer", lambda: _try(client(), asked, answer)
    yield "for an answer whose seal was changed", lambda: _try(caller, asked, changed)
    yield (
        "for an answer without its question",
        lambda: _try(caller, asked, {"inputResponses": answer["inputResponses"]}),
    )
    yield (
        "for `confirmed` among its arguments",
        lambda: _try(caller, with_arguments(asked, {**arguments, "confirmed": True}), {}),
    )
    yield (
        "for `confirmed` beside its arguments",
        lambda: _try(caller, asked, {"_meta": {"confirmed": True}}),
    )
    yield "for a client that can ask nobody", lambda: _try(client(approve=None), asked, {})
    for name, value in arguments.items():
        others = {**arguments, name: another_value(value)}
        yield (
            f"with another `{name}` than was approved",
            partial(_try, caller, with_arguments(asked, others), answer),
        )
    if LEGACY in revisions:
        yield f"in the revision {LEGACY}", lambda: _try(client(approve=None, revision=LEGACY), asked, answer)


def _declined(scene: Scene, target: TargetManifest, caller: Client, asked: Target) -> Iterator[Seen]:
    question, _ = _sent(scene, caller, asked)
    if question is None:
        return
    answer = caller.answer_to(question)
    no = {**answer, "inputResponses": {key: {"action": "decline"} for key in answer["inputResponses"]}}

    def turned() -> None:
        _try(caller, asked, no)
        _try(caller, asked, answer)

    _, runs = _taken(scene, turned)
    yield _saw(target, runs == 0, "does not run for a yes after a no", "runs for a yes after a no")


def _sent(scene: Scene, caller: Client, asked: Target) -> tuple[Answer | None, int]:
    return _taken(scene, lambda: _try(caller, asked, {}))


def _taken(scene: Scene, attempt: Callable[[], Any]) -> tuple[Any, int]:
    """What came of it, and how many bodies were entered meanwhile."""
    scene.world.executions.taken()
    came = attempt()
    return came, scene.world.executions.taken()


def _try(caller: Client, asked: Target, answer: Mapping[str, Any]) -> Answer | None:
    with suppress(Refused):
        return caller.request(asked.method, {**asked.params, **answer})
    return None


def _saw(target: TargetManifest, holds: bool, good_word: str, bad_word: str) -> Seen:  # noqa: FBT001 - as `saw`
    return saw(
        _AZ_07,
        holds,
        f"`{target.name}` {good_word}",
        f"`{target.name}` {bad_word}",
        requests=1,
        where=target.where,
    )
