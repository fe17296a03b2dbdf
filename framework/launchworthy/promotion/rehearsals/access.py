"""The access path: every black-box case beside its twin, and what the audit says of each request.

One world, one server, some three hundred cases: who is calling, is it meant for us, what exactly is asked.
The same requests show whether each of them left exactly its own records, and nothing that is secret.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from launchworthy.audit.reading import Record
from launchworthy.detection import find_secrets
from launchworthy.probe.case import Case
from launchworthy.probe.cases import CASES
from launchworthy.probe.running import Observation, Outcome
from launchworthy.promotion.finding import Assertion, ControlId
from launchworthy.promotion.registry import registry
from launchworthy.promotion.rehearsals.seen import OK, Seen, saw, told
from launchworthy.promotion.rehearsals.stage import Scene, Stage

_OVER_ALL = frozenset({"AUD-01", "AUD-02", "SEC-04", "TOK-09"})
"""What is said of all requests together."""
_CONTROLS = sorted({case.control for case in CASES} | _OVER_ALL)
_GOVERNED_BY = {"TOK-04": "server.resource", "TOK-05": "issuers", "TR-01": "server.allowed_origins"}
_REFUSALS = frozenset(
    {"authn.denied", "protocol.rejected", "tool.denied", "resource.denied", "prompt.denied"}
)
_KINDS = ("tool", "resource", "prompt")
_SHOWN = 3


@registry.rehearsal(*_CONTROLS)
def cases_beside_their_twins(stage: Stage) -> Iterator[Seen]:
    """Send every case that a wanted control asks for."""
    cases = _selected(stage)
    with stage.scene() as scene:
        outcomes = tuple(scene.prober.run(cases))
        records = _by_call(scene.records())
        for control, some in _by_control(outcomes).items():
            yield from _of_control(stage, control, some, records)
        if stage.wanted & _OVER_ALL:
            yield from _each_left_its_records(outcomes, records, scene)
            yield from _records_say_who_and_what(stage, outcomes, records)
            yield from _challenges_are_whole(outcomes)
            yield _refused_tokens_look_alike(outcomes)
            yield from _no_token_is_shown(scene, outcomes)


def _selected(stage: Stage) -> Sequence[Case]:
    if stage.wanted & _OVER_ALL:
        return CASES
    return tuple(case for case in CASES if case.control in stage.wanted)


def _by_control(outcomes: Iterable[Outcome]) -> dict[str, list[Outcome]]:
    found = defaultdict[str, list[Outcome]](list)
    for outcome in outcomes:
        found[outcome.case.control].append(outcome)
    return found


def _by_call(records: Iterable[Record]) -> dict[str, list[Record]]:
    found = defaultdict[str, list[Record]](list)
    for record in records:
        call = record.data.get("call")
        if isinstance(call, str):
            found[call].append(record)
    return found


def _of_control(
    stage: Stage, control: str, outcomes: list[Outcome], records: dict[str, list[Record]]
) -> Iterator[Seen]:
    field = _GOVERNED_BY.get(control)
    for outcome in outcomes:
        wrong = (*outcome.wrong, *_reason_differences(outcome, records))
        revision = f" ({outcome.revision})" if len(outcome.case.revisions) > 1 else ""
        seen = told(outcome.attack)
        yield saw(
            control,
            not wrong,
            f"{outcome.case.title}{revision}: {seen}",
            f"{outcome.case.title}{revision}: {', '.join(wrong)}; {outcome.case.why}",
            requests=1,
            where=stage.where(field) if field is not None else None,
        )
    broken = [outcome for outcome in outcomes if outcome.twin_wrong]
    first = f"; {broken[0].case.id}: {', '.join(broken[0].twin_wrong)}" if broken else ""
    yield (
        ControlId(control),
        Assertion(
            holds=not broken,
            what=f"the unchanged twins went through: {len(outcomes) - len(broken)} of {len(outcomes)}{first}",
            requests=len(outcomes),
            twin=True,
        ),
    )


def _reason_differences(outcome: Outcome, records: dict[str, list[Record]]) -> Iterator[str]:
    """Refused for what was changed, and not for something else: the audit knows."""
    answer, expected = outcome.attack.answer, outcome.case.expected
    if answer is None or answer.call is None or not expected.reasons:
        return
    reasons = {
        str(record.data["reason"]) for record in records.get(answer.call, ()) if "reason" in record.data
    }
    if reasons and not reasons & expected.reasons:
        yield f"refused for `{min(reasons)}`, which is not what was changed"


def _each_left_its_records(
    outcomes: Sequence[Outcome], records: dict[str, list[Record]], scene: Scene
) -> Iterator[Seen]:
    """One refusal for each that was refused; an attempt and an outcome for each that ran."""
    summaries = sum(
        int(record.data["count"]) for record in scene.records() if record.data.get("count") is not None
    )
    wrong: list[str] = []
    uncounted = 0
    for outcome in outcomes:
        twin_types = _types(outcome.twin, records)
        if not _is_a_call(twin_types):
            wrong.append(f"a call that ran left {_listed(twin_types)} instead of attempt and outcome")
        if not outcome.case.expected.audited or outcome.attack.answer is None:
            continue
        types = _types(outcome.attack, records)
        if not types and outcome.attack.answer.status != OK:
            uncounted += 1
        elif outcome.attack.runs == 0 and not (len(types) == 1 and types[0] in _REFUSALS):
            wrong.append(f"`{outcome.case.id}` left {_listed(types)} instead of one refusal")
        elif outcome.attack.runs == 1 and not _is_a_call(types):
            wrong.append(f"`{outcome.case.id}` left {_listed(types)} instead of attempt and outcome")
    if uncounted > summaries:
        wrong.append(f"{uncounted - summaries} refusals left no record and were not counted")
    yield saw(
        "AUD-01",
        not wrong,
        f"{2 * len(outcomes)} requests left exactly their own records",
        "; ".join(wrong[:_SHOWN]),
        requests=len(outcomes),
    )
    yield _all_twins("AUD-01", outcomes)


def _types(observation: Observation, records: dict[str, list[Record]]) -> tuple[str, ...]:
    call = observation.answer.call if observation.answer is not None else None
    return tuple(record.type for record in records.get(call or "", ()))


def _is_a_call(types: tuple[str, ...]) -> bool:
    return any(types == (f"{kind}.attempt", f"{kind}.outcome") for kind in _KINDS)


def _listed(types: tuple[str, ...]) -> str:
    return " and ".join(types) or "nothing"


def _records_say_who_and_what(
    stage: Stage, outcomes: Sequence[Outcome], records: dict[str, list[Record]]
) -> Iterator[Seen]:
    """Who, what and why, with the values of the request, in every record of a call."""
    wrong: list[str] = []
    looked = 0
    for outcome in outcomes:
        for record in records.get(
            outcome.twin.answer.call if outcome.twin.answer and outcome.twin.answer.call else "", ()
        ):
            if record.type.endswith(".attempt"):
                looked += 1
                wrong += _attempt_differences(stage, record, outcome)
        answer = outcome.attack.answer
        for record in records.get(answer.call if answer is not None and answer.call else "", ()):
            if record.type.endswith(".denied") and record.type != "authn.denied":
                looked += 1
                if not record.data.get("subject") or not record.data.get("reason"):
                    wrong.append(f"{record.type} says neither who nor why")
    holds = not wrong and looked > 0
    yield saw(
        "AUD-02",
        holds,
        f"{looked} records of calls name caller, client, issuer, target, arguments, policy and manifests",
        "; ".join(sorted(set(wrong))[:_SHOWN]) or "no record of a call was found",
    )
    yield _all_twins("AUD-02", outcomes)


def _attempt_differences(stage: Stage, record: Record, outcome: Outcome) -> Iterator[str]:
    project, data = stage.project, record.data
    expected = {
        "policy_digest": project.policy.digest,
        "manifest_digest": project.manifests.digest,
        "revision": outcome.revision,
        "method": stage.target.method,
    }
    for name, value in expected.items():
        if data.get(name) != value:
            yield f"{record.type} says {name} {data.get(name)}"
    for name in ("issuer", "subject", "client", "token_id", "rule", "scopes"):
        if not data.get(name):
            yield f"{record.type} does not say {name}"
    arguments = set(stage.target.params.get("arguments", {}))
    if not arguments <= set(data.get("arguments", {})):
        yield f"{record.type} leaves out arguments"


def _challenges_are_whole(outcomes: Sequence[Outcome]) -> Iterator[Seen]:
    """Every 401 and every 403 for a scope has one challenge that a parser can read."""
    looked, wrong = 0, 0
    for outcome in outcomes:
        answer = outcome.attack.answer
        if answer is None or answer.challenge is None:
            continue
        looked += 1
        wrong += "malformed" in answer.challenge or "resource_metadata" not in answer.challenge
    yield saw(
        "TOK-09",
        looked > 0 and wrong == 0,
        f"{looked} challenges parse, and each says where to get a token",
        f"{wrong} of {looked} challenges cannot be read or name no metadata",
    )


def _refused_tokens_look_alike(outcomes: Sequence[Outcome]) -> Seen:
    """What was wrong with a token is for the audit: whoever tries several learns nothing of it."""
    answers = [outcome.attack.answer for outcome in outcomes]
    said = {
        (str(answer.error.get("message")), str(answer.data.get("reason")), frozenset(answer.data))
        for answer in answers
        if answer is not None and (answer.challenge or {}).get("error") == "invalid_token"
    }
    return saw(
        "TOK-09",
        len(said) == 1,
        "every token that is not accepted is refused in the same words",
        f"tokens are refused in {len(said)} different ways, which tells what was wrong with each",
    )


def _no_token_is_shown(scene: Scene, outcomes: Sequence[Outcome]) -> Iterator[Seen]:
    """No token, in whole or in part, in anything that the server wrote or answered."""
    said = scene.said()
    shown: list[str] = []
    tokens = [observation for outcome in outcomes for observation in (outcome.twin, outcome.attack)]
    for observation in tokens:
        for part in _telling_parts(observation.token):
            if part in said:
                shown.append("in its output or its audit")
            elif observation.answer is not None and part in observation.answer.body.decode(errors="replace"):
                shown.append("in an answer")
    yield saw(
        "SEC-04",
        not shown,
        f"none of {len(tokens)} tokens is in stdout, stderr, audit or an answer",
        f"{len(shown)} parts of tokens were shown: {', '.join(sorted(set(shown)))}",
        requests=len(outcomes),
    )
    yield ControlId("SEC-04"), _nothing_secret_is_printed(scene)
    yield _all_twins("SEC-04", outcomes)


def _nothing_secret_is_printed(scene: Scene) -> Assertion:
    """Nor any other secret that can be known: a line for debugging is written by the team's own code."""
    found = find_secrets(f"{scene.process.stdout}\n{scene.process.stderr}", path="output")
    kinds = ", ".join(sorted({each.kind.replace("-", " ") for each in found}))
    if found:
        fix = ("rotate it: whoever reads the log has it by now; then take out the line that prints it",)
        return Assertion(holds=False, what=f"it printed a secret: {kinds}", fix=fix)
    return Assertion(holds=True, what="what it printed holds no secret that is known by name or shape")


def _telling_parts(token: str) -> Iterator[str]:
    """What gives a token away: the end of its payload, and the middle of its signature."""
    parts = token.split(".")
    if len(parts) == 3:  # noqa: PLR2004 - of a JWT
        yield from (part for part in (parts[1][40:90], parts[2][8:40]) if len(part) >= 32)  # noqa: PLR2004


def _all_twins(control: str, outcomes: Sequence[Outcome]) -> Seen:
    through = sum(not outcome.twin_wrong for outcome in outcomes)
    return ControlId(control), Assertion(
        holds=through > 0,
        what=f"{through} unchanged requests went through in the same run",
        twin=True,
    )
