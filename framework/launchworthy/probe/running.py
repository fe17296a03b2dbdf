"""What happens when a case is sent? The unchanged twin first, then the change, and what was seen of both.

The main observation is the side effect, counted by the execution pipe of the simulated world; then the
status, the challenge and the error. Nothing is decided here but whether it is what the case expects.
"""

import ssl
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count

import httpx2

from launchworthy.probe.answer import Answer, read_answer
from launchworthy.probe.case import NO_ERROR, Case, Expected
from launchworthy.probe.draft import Draft, good_draft
from launchworthy.probe.probed import Probed

_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One request, and what came of it.

    Attributes:
        answer: what came back; None where the connection was closed.
        runs: how many bodies were entered.
        token: what was shown, to be looked for where it must not be.
    """

    answer: Answer | None
    runs: int
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A case in one revision.

    Attributes:
        case: which.
        revision: in which.
        twin: the unchanged request.
        attack: the changed one.
        wrong: how the changed one differs from what is expected; empty where it is right.
        twin_wrong: the same of the twin.
    """

    case: Case
    revision: str
    twin: Observation
    attack: Observation
    wrong: tuple[str, ...]
    twin_wrong: tuple[str, ...]


class Prober:
    """Sends requests to one server, one after the other, and counts what ran."""

    def __init__(
        self, probed: Probed, executions: Callable[[], int], *, tls: ssl.SSLContext | None = None
    ) -> None:
        """Ask this server.

        Args:
            probed: the server.
            executions: how many bodies were entered since it was asked last.
            tls: what to connect with, where the server has TLS of its own.
        """
        self.probed = probed
        self._executions = executions
        self._numbers = count(1)
        self._http = httpx2.Client(
            timeout=_SECONDS, trust_env=False, follow_redirects=False, verify=tls if tls is not None else True
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def draft(self, revision: str) -> Draft:
        """A good request for the usual target."""
        return good_draft(self.probed, self.probed.target, revision, next(self._numbers))

    def send(self, draft: Draft) -> Observation:
        """Send a draft."""
        token = draft.token()
        return self.send_request(draft.request(token), token)

    def send_request(self, request: httpx2.Request, token: str) -> Observation:
        """Send a request as it stands."""
        self._executions()
        try:
            answer = read_answer(self._http.send(request))
        except httpx2.TransportError:
            answer = None
        return Observation(answer=answer, runs=self._executions(), token=token)

    def run(self, cases: Iterable[Case]) -> Iterator[Outcome]:
        """Run every case that applies, in every revision that is served."""
        for case in cases:
            for revision in case.revisions:
                if revision in self.probed.revisions and case.applies(self.probed):
                    yield self._run(case, revision)

    def _run(self, case: Case, revision: str) -> Outcome:
        twin = self.send(self.draft(revision))
        changed = self.draft(revision)
        case.change(changed)
        attack = self.send(changed)
        return Outcome(
            case=case,
            revision=revision,
            twin=twin,
            attack=attack,
            wrong=tuple(differences(case.expected, attack, self.probed, changed)),
            twin_wrong=tuple(twin_differences(twin)),
        )


def twin_differences(twin: Observation) -> Iterator[str]:
    """How the answer to a good request is not that of one."""
    if twin.runs != 1:
        yield f"{twin.runs} bodies ran instead of one"
    if twin.answer is None:
        yield "the connection was closed"
    elif twin.answer.status != httpx2.codes.OK:
        yield f"answered {twin.answer.summary()}"


def differences(expected: Expected, seen: Observation, probed: Probed, draft: Draft) -> Iterator[str]:
    """How what was seen differs from what is expected, the side effect first."""
    if seen.runs != expected.runs:
        yield f"{seen.runs} bodies ran instead of {expected.runs}"
    if seen.answer is None:
        yield "the connection was closed without an answer"
        return
    answer = seen.answer
    if answer.status not in expected.statuses:
        yield f"answered {answer.summary()} instead of {_either(expected.statuses)}"
        return
    yield from _challenge_differences(expected, answer, probed, draft)
    if expected.word is not None and answer.data.get("reason") != expected.word:
        yield f"the error says `{answer.data.get('reason')}` instead of `{expected.word}`"
    if expected.codes and answer.error.get("code") not in expected.codes:
        yield f"the JSON-RPC code is {answer.error.get('code')} instead of {_either(expected.codes)}"
    if expected.tool_error and answer.result.get("isError") is not True:
        yield "the result does not say `isError`"
    if seen.token and _part(seen.token) in answer.body.decode(errors="replace"):
        yield "the answer repeats the token"


def _challenge_differences(expected: Expected, answer: Answer, probed: Probed, draft: Draft) -> Iterator[str]:
    challenge = answer.challenge
    if expected.challenge is None:
        if challenge is not None and answer.status != httpx2.codes.BAD_REQUEST:
            yield "there is a challenge, and nothing that a token could change"
        return
    if challenge is None:
        yield "there is no WWW-Authenticate"
        return
    wanted = None if expected.challenge == NO_ERROR else expected.challenge
    if challenge.get("error") != wanted:
        yield f"the challenge says error={challenge.get('error')} instead of {wanted}"
    if challenge.get("resource_metadata") != probed.metadata_url:
        yield f"the challenge names the metadata {challenge.get('resource_metadata')}"
    scopes = set(challenge.get("scope", "").split())
    needed = set(draft.target.scopes) if expected.scopes else set(probed.entry_scopes)
    if scopes != needed:
        yield f"the challenge asks for {sorted(scopes)} instead of {sorted(needed)}"


def _part(token: str) -> str:
    """Enough of a token to know it again: of its signature, or of all of it."""
    return token.rpartition(".")[2][:24] or token[:24]


def _either(numbers: frozenset[int]) -> str:
    return " or ".join(str(number) for number in sorted(numbers))
