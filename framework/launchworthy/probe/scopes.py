"""Which scopes does a tool of a server that is not ours need? Its own challenge says, and is held to it."""

from dataclasses import replace

from launchworthy.probe.asking import Asker
from launchworthy.probe.issuing import CannotMint
from launchworthy.probe.report import Finding
from launchworthy.probe.row import Row, seen_of

_FORBIDDEN = 403
_MOST = 32

STEP_UP = Row(
    id="scopes.step-up",
    title="a token that is good for exactly the scopes that the challenge asked for",
    right="it goes through",
    why="a client that does what the challenge says is refused again",
    source="MCP authorization (runtime insufficient scope errors), RFC 6750 §3.1",
)


def learn_scopes(asker: Asker, revision: str) -> Finding:
    """Ask with a token that is good for nothing, then with one that is good for what was asked for.

    Where that goes through, the asker knows from here on what the tool needs.

    Raises:
        Ended: no more requests are sent.
    """
    target = asker.probed.target
    if not target.granted:
        why = "the good token does not say what it is good for"
        return STEP_UP.found(revision=revision, target=target.name, not_run=why)
    try:
        draft = asker.draft(revision)
        draft.scopes = ()
        refused = asker.send(draft)
        challenge = refused.answer.challenge if refused.answer is not None else None
        scopes = tuple((challenge or {}).get("scope", "").split())[:_MOST]
        if refused.answer is None or refused.answer.status != _FORBIDDEN or not scopes:
            why = "no challenge asked for any scopes (scopes.none)"
            return STEP_UP.found(revision=revision, target=target.name, not_run=why)
        draft = asker.draft(revision)
        draft.scopes = scopes
        reply = asker.send(draft)
    except CannotMint as error:
        return STEP_UP.found(revision=revision, target=target.name, not_run=str(error))
    if reply.good:
        asker.towards(replace(target, scopes=scopes))
    return STEP_UP.found(
        revision=revision,
        target=target.name,
        seen=seen_of(reply.answer, reply.why),
        twin=seen_of(refused.answer, refused.why),
        wrong=() if reply.good else (f"it was refused: {reply.summary}",),
    )
