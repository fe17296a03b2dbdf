"""What becomes of a request on the public way? A good one, one without a scope, and a canary."""

import hashlib
import secrets
from collections.abc import Iterator, Mapping, Sequence

from cryptography.x509 import Certificate

from launchworthy.audit.canary import HEADER, CanaryError, Sighting, changed, decode, verify_signed
from launchworthy.manifest import Effect, TargetKind, TargetManifest
from launchworthy.probe.answer import Answer
from launchworthy.probe.draft import Draft, good_draft, plain_draft
from launchworthy.probe.issuing import CannotMint
from launchworthy.probe.probed import LEGACY, MODERN, Probed, Target
from launchworthy.probe.wire import Heard, Wire
from launchworthy.promotion.live.document import Canary, How, Row, Step
from launchworthy.vocabulary import printable

_OK, _FORBIDDEN = 200, 403
_FORGED = (
    ("x-forwarded-user", "launchworthy-canary"),
    ("x-remote-user", "launchworthy-canary"),
    ("x-forwarded-client-cert", "URI=spiffe://probe.invalid/launchworthy-canary"),
)


def row(step: Step, how: How, says: str, *, person: str | None = None) -> Row:
    """One row, safe to print whoever said it; what is longer than a row holds is cut off."""
    return Row(step=step, how=how, says=printable(says)[:2000], person=person)


def _told(heard: Heard) -> str:
    return heard.why if heard.answer is None else heard.answer.summary()


def _status(heard: Heard) -> int:
    return 0 if heard.answer is None else heard.answer.status


def discovery(probed: Probed, revision: str) -> Draft:
    """A request that calls nothing."""
    return plain_draft(probed, "server/discover" if revision == MODERN else "ping", revision, 1)


def good_requests(wire: Wire, probed: Probed) -> Iterator[Row]:
    """In each revision that is served, something that calls nothing."""
    for revision in probed.revisions:
        draft = discovery(probed, revision)
        heard = wire.send(draft.request(draft.token()))
        how = How.RIGHT if _status(heard) == _OK else How.WRONG
        yield row(Step.THROUGH, how, f"`{draft.message['method']}` in {revision}: {_told(heard)}")


def missing_scope(wire: Wire, probed: Probed, targets: Sequence[TargetManifest]) -> Row:
    """A call whose token lacks a scope; its arguments are no good, so it would stop at them at the latest.

    Args:
        wire: the public way.
        probed: the server.
        targets: what it declares.
    """
    why = "each tool needs no more than its issuer gives to everybody"
    for manifest in sorted(targets, key=lambda each: (each.effect is not Effect.READ, each.name)):
        if manifest.kind is not TargetKind.TOOL or not manifest.scopes:
            continue
        target = Target(
            name=manifest.name,
            method="tools/call",
            params={"name": manifest.name, "arguments": {"launchworthy_live_undeclared": True}},
            scopes=manifest.scopes,
        )
        others = tuple(scope for scope in probed.scopes if scope not in manifest.scopes)
        if not others:
            continue
        draft = good_draft(probed, target, probed.revisions[0], 1)
        draft.scopes = others
        try:
            heard = wire.send(draft.request(draft.token()))
        except CannotMint as error:
            why = str(error)
            continue
        named = _named_scopes(heard.answer)
        right = _status(heard) == _FORBIDDEN and named == set(manifest.scopes)
        return row(
            Step.MISSING_SCOPE,
            How.RIGHT if right else How.WRONG,
            f"`{manifest.name}` without {' '.join(manifest.scopes)}: {_told(heard)}, asks for "
            f"{' '.join(sorted(named)) or 'nothing'}",
        )
    return row(Step.MISSING_SCOPE, How.NOT_RUN, f"no token without a scope that some tool needs: {why}")


def _named_scopes(answer: Answer | None) -> set[str]:
    challenge: Mapping[str, str] = (answer.challenge or {}) if answer is not None else {}
    return (
        set(challenge.get("scope", "").split()) if challenge.get("error") == "insufficient_scope" else set()
    )


def send_canary(
    wire: Wire, probed: Probed, *, source: str | None, roots: Sequence[Certificate]
) -> tuple[Row, Canary | None]:
    """Ask the server what it saw of a request that says more about its sender than it should.

    Args:
        wire: the public way.
        probed: the server.
        source: the SPIFFE ID that must have signed; None where the server's identity has no key.
        roots: of its trust domain, as the platform pinned them; none, and the signature is only kept.
    """
    revision = probed.revisions[0] if probed.revisions else LEGACY
    draft = discovery(probed, revision)
    nonce = secrets.token_urlsafe(24)
    draft.headers += [(HEADER, nonce), *_FORGED]
    token = draft.token()
    heard = wire.send(draft.request(token))
    header = None if heard.answer is None else heard.answer.headers.get(HEADER)
    if header is None:
        what = f"the server said nothing of what it saw ({_told(heard)}): does a proxy drop `{HEADER}`?"
        return row(Step.CANARY, How.WRONG, what), None
    headers = dict(draft.headers)
    canary = Canary(
        nonce=nonce,
        token=hashlib.sha256(token.encode()).hexdigest(),
        revision=headers.get("mcp-protocol-version"),
        method=headers.get("mcp-method"),
        name=headers.get("mcp-name"),
        sighting=header[: 16 * 1024],
    )
    return _judged(canary, probed.resource, source=source, roots=roots), canary


def _judged(canary: Canary, resource: str, *, source: str | None, roots: Sequence[Certificate]) -> Row:
    try:
        sighting = read_sighting(canary, resource)
        if source is not None and roots:
            verify_signed(sighting, source=source, roots=roots)
    except CanaryError as error:
        return row(Step.CANARY, How.WRONG, f"the canary: {error}")
    by = "nobody's key" if sighting.signed is None else source or "an identity of the simulated world"
    unpinned = "" if source is None or roots else ", as it says: the trust policy pins no root for it"
    what = f"the server saw what was sent (call {sighting.call}); signed by {by}{unpinned}"
    return row(Step.CANARY, How.RIGHT, what)


def read_sighting(canary: Canary, resource: str) -> Sighting:
    """What a server saw of a canary, where it is what was sent.

    Raises:
        CanaryError: it is another server's, of another request, or something was replaced on the way.
    """
    sighting = decode(canary.sighting)
    if sighting.resource != resource:
        raise CanaryError(f"another server answers: {sighting.resource}")
    if differs := changed(sighting, canary.nonce, canary.shown):
        raise CanaryError(f"the server saw another {', another '.join(differs)} than was sent")
    return sighting
