"""Everything that is not a call: methods without a token, lists, documents, sockets, a flood."""

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx2
import psutil

from launchworthy.manifest import TargetKind, TargetManifest, Visibility, implied_scopes, missing_scopes
from launchworthy.probe.answer import read_answer
from launchworthy.probe.draft import Change, Draft, good_draft, initialize_draft, plain_draft
from launchworthy.probe.probed import LEGACY, MODERN, Target
from launchworthy.probe.running import Observation
from launchworthy.promotion.finding import Assertion, ControlId
from launchworthy.promotion.registry import registry
from launchworthy.promotion.rehearsals.overrides import (
    challenges_come_from_the_settings,
    no_header_lets_in,
    no_older_revision,
)
from launchworthy.promotion.rehearsals.seen import OK, Seen, good, saw, sent, status, told, twin, within
from launchworthy.promotion.rehearsals.stage import Scene, Stage
from launchworthy.promotion.rehearsals.targets import as_target, declared, may_run

_LISTS = {
    TargetKind.TOOL: ("tools/list", "tools", "name"),
    TargetKind.PROMPT: ("prompts/list", "prompts", "name"),
}
_PLAIN = {
    MODERN: ("server/discover", "tools/list", "resources/list", "resources/templates/list", "prompts/list"),
    LEGACY: (
        "initialize",
        "ping",
        "tools/list",
        "resources/list",
        "resources/templates/list",
        "prompts/list",
    ),
}
_LASTS = 3
"""Seconds that a token about to end is good for."""
_FLOOD = 40
_FORBIDDEN, _UNAUTHORISED, _BAD_REQUEST = 403, 401, 400


@registry.rehearsal(
    "TOK-01", "TOK-07", "TOK-09", "TOK-10", "TR-02", "AZ-01", "AZ-02", "AZ-04", "AZ-06", "AZ-09", "KEY-06"
)
def what_is_not_a_case(stage: Stage) -> Iterator[Seen]:
    """One server with the settings of production, key ages too."""
    with stage.scene() as scene:
        yield from _every_method_needs_a_token(scene)
        yield from _each_request_is_verified(scene)
        yield from challenges_come_from_the_settings(scene)
        yield from no_older_revision(scene)
        yield from no_header_lets_in(scene)
        yield from _documents(stage, scene)
        yield from _sockets(scene)
        yield from _each_target_needs_its_scopes(stage, scene)
        yield from _lists(stage, scene)
        yield from _flood(stage, scene)


def _every_method_needs_a_token(scene: Scene) -> Iterator[Seen]:
    prober = scene.prober
    for revision in prober.probed.revisions:
        for number, method in enumerate(_PLAIN[revision]):
            draft = _plain(scene, method, revision, number)
            with_token = prober.send(draft)
            draft.credentials = lambda _: []
            without = prober.send(draft)
            challenge = without.answer.challenge if without.answer is not None else None
            yield saw(
                "TOK-01",
                status(without) == _UNAUTHORISED and challenge is not None and "error" not in challenge,
                f"`{method}` without a token ({revision}): {told(without)}",
                f"`{method}` is answered without a token ({revision}): {told(without)}",
                requests=1,
            )
            yield (
                ControlId("TOK-01"),
                Assertion(
                    holds=status(with_token) == OK,
                    what=f"`{method}` with a token ({revision}): {told(with_token)}",
                    requests=1,
                    twin=True,
                ),
            )


def _plain(scene: Scene, method: str, revision: str, number: int) -> Draft:
    if method == "initialize":
        return initialize_draft(scene.probed, 1000 + number)
    return plain_draft(scene.probed, method, revision, 1000 + number)


def _each_request_is_verified(scene: Scene) -> Iterator[Seen]:
    """One connection that is kept: good, forged, good, forged, good; nothing of a verdict stays with it."""
    prober = scene.prober
    seen = [
        sent(prober, lambda draft: setattr(draft, "edit_token", _forged)) if number % 2 else good(prober)
        for number in range(5)
    ]
    forged = seen[1::2]
    yield twin("TOK-07", seen[0])
    yield saw(
        "TOK-07",
        all(status(each) == _UNAUTHORISED and each.runs == 0 for each in forged),
        "on one connection, tokens whose payload was changed are refused between good ones",
        f"after a good token on the same connection, a forged one: {', '.join(map(told, forged))}",
        requests=len(forged),
    )
    yield twin("TOK-07", seen[2], "a good token after a forged one goes through")
    yield twin("TOK-07", seen[4], "and after another one")
    yield from _is_remembered_whole(scene)
    yield from _ends_where_it_was_good(scene)


def _is_remembered_whole(scene: Scene) -> Iterator[Seen]:
    """A token that may be remembered, with another signature a moment later: one that ends soon never is."""
    prober = scene.prober
    draft = prober.draft(scene.probed.revisions[0])
    token = draft.token()
    resigned = _forged(token)
    yield twin("TOK-07", prober.send_request(draft.request(token), token), "a token goes through")
    seen = prober.send_request(draft.request(resigned), resigned)
    yield saw(
        "TOK-07",
        status(seen) == _UNAUTHORISED and seen.runs == 0,
        f"the same token with another signature, a moment later: {told(seen)}",
        f"the same token with another signature is taken for the one before: {told(seen)}",
        requests=1,
    )
    again = prober.send_request(draft.request(token), token)
    yield twin("TOK-07", again, "and with its own signature it goes through again")


def _ends_where_it_was_good(scene: Scene) -> Iterator[Seen]:
    """The very same request, on the same connection, before its token ends and after."""
    prober, probed = scene.prober, scene.probed
    draft = prober.draft(probed.revisions[0])
    ends = int(probed.now) + _LASTS
    draft.claims.update(exp=ends - int(probed.leeway), iat=ends - int(probed.leeway) - 300)
    token = draft.token()
    yield twin(
        "TOK-07", prober.send_request(draft.request(token), token), "a token about to end goes through"
    )
    within(2 * _LASTS, lambda: probed.now > ends)
    seen = prober.send_request(draft.request(token), token)
    yield saw(
        "TOK-07",
        status(seen) == _UNAUTHORISED and seen.runs == 0,
        f"and ends where it was good: {told(seen)}",
        f"and is remembered past its end: {told(seen)}",
        requests=1,
    )


def _forged(token: str) -> str:
    """The token with another signature of the right form."""
    head, _, signature = token.rpartition(".")
    return f"{head}.{signature[::-1][1:] + 'A'}"


def _documents(stage: Stage, scene: Scene) -> Iterator[Seen]:
    """The metadata at both places, equal, and saying what is configured (RFC 9728 §2, §3)."""
    parts = urlsplit(scene.probed.resource)
    root = f"{parts.scheme}://{parts.netloc}/.well-known/oauth-protected-resource"
    found = []
    for url in (scene.probed.metadata_url, root):
        verify = scene.world.tls if scene.world.tls is not None else True
        answer = read_answer(httpx2.get(url, trust_env=False, timeout=10.0, verify=verify))
        found.append(dict(answer.message))
        yield saw(
            "TOK-10",
            answer.status == OK,
            f"{url} answers without a token",
            f"{url}: {answer.status}",
            requests=1,
        )
    document = found[0]
    issuers = [issuer.issuer for issuer in scene.world.issuers.values()]
    expected = {
        "resource": scene.probed.resource,
        "authorization_servers": issuers,
        "scopes_supported": list(scene.probed.entry_scopes),
        "bearer_methods_supported": ["header"],
    }
    for name, value in expected.items():
        yield saw(
            "TOK-10",
            document.get(name) == value,
            f"`{name}` says what is configured",
            f"`{name}` says {document.get(name)}",
            where=stage.where("server.resource"),
        )
    yield saw(
        "TOK-10", found[0] == found[1], "both places have the same document", "the two documents differ"
    )
    scopes = document.get("scopes_supported") or []
    yield saw(
        "TOK-10",
        "offline_access" not in scopes and "*" not in scopes,
        "it offers no more than a first read needs",
        f"it offers {scopes}",
    )
    yield twin("TOK-10", good(scene.prober), "a token for the resource of the document goes through")


def _sockets(scene: Scene) -> Iterator[Seen]:
    """What the process listens on is what was declared, and nothing else."""
    wanted = {urlsplit(scene.world.url).netloc, urlsplit(scene.world.readiness_url).netloc}
    process = psutil.Process(scene.process.pid)
    listening = {
        f"{each.laddr.ip}:{each.laddr.port}"
        for one in (process, *process.children(recursive=True))
        for each in one.net_connections(kind="inet")
        if each.status in {psutil.CONN_LISTEN, psutil.CONN_NONE} and each.laddr
    }
    yield saw(
        "TR-02",
        listening == wanted,
        "it listens where the settings say, and nowhere else",
        f"it listens on {', '.join(sorted(listening ^ wanted))}, which is not what was declared",
    )
    copies = [each.pid for each in process.children(recursive=True) if each.cmdline() == process.cmdline()]
    yield saw(
        "TR-02",
        not copies,
        "it is one process, of which no copy runs",
        f"{len(copies)} copies of its process run beside it (fork): each holds its keys and its sockets",
    )
    yield twin("TR-02", good(scene.prober), "the declared address answers")


def _each_target_needs_its_scopes(stage: Stage, scene: Scene) -> Iterator[Seen]:
    """For each target and each of its scopes: everything but this one is not enough."""
    prober = scene.prober
    for manifest in declared(stage.project):
        target = as_target(manifest)
        for scope in manifest.scopes:
            granted = _all_but(stage, scope)
            draft = good_draft(scene.probed, target, scene.probed.revisions[0], 1)
            draft.scopes = granted
            seen = prober.send(draft)
            yield saw(
                "AZ-02",
                seen.runs == 0 and _says_no(seen, manifest),
                f"{manifest.name} with every scope but {scope}: {told(seen)}",
                f"{manifest.name} with every scope but {scope}: {told(seen)}, not 403 with all scopes",
                requests=1,
                where=manifest.where,
            )
        yield _may_be_called(scene, manifest, target)


def _all_but(stage: Stage, scope: str) -> tuple[str, ...]:
    implies = stage.project.manifests.server.scopes.implies
    return tuple(each for each in stage.scopes if scope not in implied_scopes((each,), implies))


def _says_no(seen: Observation, manifest: TargetManifest) -> bool:
    if seen.answer is None:
        return False
    if manifest.visibility is Visibility.SECRET:
        return seen.answer.status == _BAD_REQUEST
    challenge = seen.answer.challenge or {}
    return (
        seen.answer.status == _FORBIDDEN
        and challenge.get("error") == "insufficient_scope"
        and set(challenge.get("scope", "").split()) == set(manifest.scopes)
    )


def _may_be_called(scene: Scene, manifest: TargetManifest, target: Target) -> Seen:
    """The twin: with its scopes the example goes through; one that must not be run gets to its arguments."""
    draft = good_draft(scene.probed, target, scene.probed.revisions[0], 1)
    if may_run(manifest):
        seen = scene.prober.send(draft)
        return twin("AZ-02", seen, f"{manifest.name} with its scopes runs")
    draft.message["params"] = {**draft.message["params"], "arguments": {"probe_undeclared": True}}
    seen = scene.prober.send(draft)
    return ControlId("AZ-02"), Assertion(
        holds=seen.runs == 0 and status(seen) in {OK, _BAD_REQUEST},
        what=f"{manifest.name} with its scopes gets as far as its arguments: {told(seen)}",
        requests=1,
        twin=True,
    )


def _lists(stage: Stage, scene: Scene) -> Iterator[Seen]:
    """What is listed is what may be called: for no scope, for each one, and for all."""
    implies = stage.project.manifests.server.scopes.implies
    every = tuple(declared(stage.project))
    subsets: tuple[tuple[str, ...], ...] = ((), *((scope,) for scope in stage.scopes), stage.scopes)
    for kind, (method, field, name) in _LISTS.items():
        for scopes in subsets:
            granted = implied_scopes(scopes, implies)
            wanted = sorted(
                each.name
                for each in every
                if each.kind is kind
                and each.visibility is Visibility.SCOPED
                and not missing_scopes(each, granted)
                and (each.approval is None or scene.probed.revisions[0] == MODERN)
            )
            draft = plain_draft(scene.probed, method, scene.probed.revisions[0], 1)
            draft.scopes = scopes
            seen, again = scene.prober.send(draft), scene.prober.send(draft)
            result = seen.answer.result if seen.answer is not None else {}
            listed = [str(each.get(name)) for each in result.get(field, ())]
            holds = status(seen) == OK and sorted(listed) == wanted and _same(seen, again)
            said = f"`{method}` for {' '.join(scopes) or 'no scope'}: {', '.join(listed) or 'nothing'}"
            yield saw("AZ-04", holds, said, f"{said}; expected {', '.join(wanted) or 'nothing'}", requests=2)
            if scopes == stage.scopes:
                yield saw("AZ-01", holds, f"all: {said}", f"all: {said}", requests=1)
                yield (
                    ControlId("AZ-01"),
                    Assertion(holds=status(seen) == OK, what=f"`{method}` answers", twin=True),
                )
            if scene.probed.revisions[0] == MODERN:
                private = result.get("cacheScope") == "private"
                yield saw("AZ-04", private, "no cache may share it", "a cache may share what one caller sees")
    yield twin("AZ-04", good(scene.prober), "what is listed can be called")


def _same(one: Observation, other: Observation) -> bool:
    """The same list in the same order, whatever the ids."""
    if one.answer is None or other.answer is None:
        return False
    return json.dumps(one.answer.result) == json.dumps(other.answer.result)


def _with_key(number: int) -> Change:
    def change(draft: Draft) -> None:
        draft.token_header["kid"] = f"probe-{number}"

    return change


def _flood(stage: Stage, scene: Scene) -> Iterator[Seen]:
    """Many tokens with invented keys cost the issuer one request an interval, and good callers nothing."""
    issuer = scene.world.issuer
    before = issuer.counts["keys"]
    refused, ran, through = 0, 0, 0
    for number in range(_FLOOD):
        seen = sent(scene.prober, _with_key(number))
        refused += status(seen) == _UNAUTHORISED
        ran += seen.runs
        if number % 10 == 0:
            through += status(good(scene.prober)) == OK
    fetched = issuer.counts["keys"] - before
    yield saw(
        "KEY-06",
        fetched <= 2 and refused == _FLOOD and ran == 0,  # noqa: PLR2004 - one interval may end meanwhile
        f"{_FLOOD} tokens with invented keys: {refused} refused, {fetched} requests to the issuer",
        f"{_FLOOD} tokens with invented keys: {refused} refused, {ran} ran, {fetched} requests to the issuer",
        requests=_FLOOD,
        where=stage.where("issuers"),
    )
    yield (
        ControlId("KEY-06"),
        Assertion(
            holds=through == _FLOOD // 10,
            what=f"{through} good calls went through meanwhile",
            requests=through,
            twin=True,
        ),
    )
