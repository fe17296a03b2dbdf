"""Does what a request says of itself change what it gets? Forwarded hosts, other revisions, switches."""

from collections.abc import Iterator

from launchworthy.probe.draft import Draft, initialize_draft
from launchworthy.probe.probed import LEGACY
from launchworthy.promotion.rehearsals.seen import OK, Seen, good, saw, sent, status, told, twin
from launchworthy.promotion.rehearsals.stage import Scene

_REFUSED = frozenset({400, 403})
_NOT_SERVED = ("2025-03-26", "2024-11-05")
"""Revisions that let a request do what the served ones do not."""
_LETTING_IN = tuple(
    (f"x-{name}", "true")
    for name in (
        "debug", "internal", "bypass", "bypass-auth", "auth-bypass", "skip-auth", "no-auth", "admin", "sudo",
        "test", "dev", "is-admin", "superuser", "trusted", "policy-override", "remote-user", "forwarded-user",
    )
)  # fmt: skip
"""What testers and proxies leave behind."""


def challenges_come_from_the_settings(scene: Scene) -> Iterator[Seen]:
    """No header of the request moves the URL that a challenge names."""

    def change(draft: Draft) -> None:
        draft.credentials = lambda _: []
        draft.headers += [
            ("x-forwarded-host", "probe.invalid"),
            ("x-forwarded-proto", "https"),
            ("forwarded", "host=probe.invalid"),
        ]

    seen = sent(scene.prober, change)
    challenge = (seen.answer.challenge if seen.answer is not None else None) or {}
    yield twin("TOK-09", good(scene.prober))
    yield saw(
        "TOK-09",
        challenge.get("resource_metadata") == scene.probed.metadata_url,
        "a forwarded host does not change where a challenge sends clients",
        f"a forwarded host makes the challenge say {challenge.get('resource_metadata')}",
        requests=1,
    )
    body = seen.answer.body.decode(errors="replace") if seen.answer is not None else ""
    yield saw(
        "TOK-09",
        "Traceback" not in body and "File " not in body,
        "an answer shows nothing of the code",
        "an answer shows a traceback",
    )


def no_older_revision(scene: Scene) -> Iterator[Seen]:
    """Who asks for a revision that is not served is offered one that is, and never the one asked for."""
    if LEGACY not in scene.probed.revisions:
        return
    for asked in _NOT_SERVED:
        draft = initialize_draft(scene.probed, 2000)
        draft.message["params"]["protocolVersion"] = asked
        seen = scene.prober.send(draft)
        offered = seen.answer.result.get("protocolVersion") if seen.answer is not None else None
        yield saw(
            "AZ-06",
            status(seen) != OK or offered in scene.probed.revisions,
            f"`initialize` for {asked}: offered {offered}",
            f"`initialize` for {asked}: agreed to, and that revision is not served",
            requests=1,
        )
    yield twin("AZ-06", good(scene.prober))


def no_header_lets_in(scene: Scene) -> Iterator[Seen]:
    """A token that is good for nothing stays so, whatever a proxy or a tester would have said of it."""

    def change(draft: Draft) -> None:
        draft.scopes = ()
        draft.headers += _LETTING_IN

    seen = sent(scene.prober, change)
    yield saw(
        "AZ-09",
        status(seen) in _REFUSED and seen.runs == 0,
        f"a token without a scope, and {len(_LETTING_IN)} headers that ask to be let in: {told(seen)}",
        f"a token without a scope is let in by one of {len(_LETTING_IN)} headers: {told(seen)}",
        requests=1,
    )
    yield twin("AZ-09", good(scene.prober))
