"""How does a rehearsal say what it saw? Short forms of `Assertion`, and the answer most of them look at."""

import contextlib
from collections.abc import Callable
from typing import Final

from launchworthy.probe.draft import Draft
from launchworthy.probe.running import Observation, Prober, twin_differences
from launchworthy.promotion.finding import Assertion, ControlId
from launchworthy.testing.world import wait_until

Seen = tuple[ControlId, Assertion]
OK: Final = 200


def saw(
    control: str,
    holds: bool,  # noqa: FBT001 - what the other two are about
    good: str,
    bad: str,
    *,
    requests: int = 0,
    where: str | None = None,
) -> Seen:
    """One thing that was looked at: what was proved where it holds, what was seen where it does not."""
    return ControlId(control), Assertion(
        holds=holds, what=good if holds else bad, where=where, requests=requests
    )


def twin(control: str, observation: Observation, what: str = "the unchanged request goes through") -> Seen:
    """The positive twin: a good request, at this moment, in this world."""
    wrong = tuple(twin_differences(observation))
    return ControlId(control), Assertion(
        holds=not wrong,
        what=what if not wrong else f"{what}: it does not: {', '.join(wrong)}",
        requests=1,
        twin=True,
    )


def good(prober: Prober) -> Observation:
    """Send a good request."""
    return prober.send(prober.draft(prober.probed.revisions[0]))


def sent(prober: Prober, change: Callable[[Draft], object]) -> Observation:
    """Send a good request after one change."""
    draft = prober.draft(prober.probed.revisions[0])
    change(draft)
    return prober.send(draft)


def status(observation: Observation) -> int:
    """The HTTP status; 0 where the connection was closed."""
    return observation.answer.status if observation.answer is not None else 0


def told(observation: Observation) -> str:
    """An answer in words: `401 invalid_token, nothing ran`."""
    answer = "no answer" if observation.answer is None else observation.answer.summary()
    ran = "nothing ran" if observation.runs == 0 else f"{observation.runs} bodies ran"
    return f"{answer}, {ran}"


def retry_after(observation: Observation) -> int | None:
    """The seconds that a refusal asks to wait, or None."""
    value = observation.answer.headers.get("retry-after") if observation.answer is not None else None
    return int(value) if value is not None and value.isdigit() else None


def within(seconds: float, condition: Callable[[], bool]) -> float | None:
    """The seconds until this was so; None where it was not in time."""
    with contextlib.suppress(TimeoutError):
        return wait_until(condition, timeout=seconds)
    return None
