"""What does a server accept that it must not? The whole run against any server, one request at a time.

First what it says without a token, then whether a good request goes through, then each case beside its
twin. A case whose twin cannot be had is not run and says why; what is wrong needs no twin only where the
request went through.
"""

import difflib
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from launchworthy._version import __version__
from launchworthy.audit.sanitiser import sanitise
from launchworthy.probe.asking import Asker, Reply
from launchworthy.probe.case import BOTH, Case
from launchworthy.probe.cases import CASES
from launchworthy.probe.cases.doors import METHODS, SESSIONS
from launchworthy.probe.documents import ROWS, Documents, document_findings, read_documents
from launchworthy.probe.draft import Draft
from launchworthy.probe.issuing import CannotMint, Issuer
from launchworthy.probe.judging import faults
from launchworthy.probe.nobody import Nobody
from launchworthy.probe.probed import MODERN, Probed, Target
from launchworthy.probe.report import Finding, Report
from launchworthy.probe.row import Row, row_of, seen_of
from launchworthy.probe.scopes import STEP_UP, learn_scopes
from launchworthy.probe.wire import Bounds, Ended, Heard, Wire
from launchworthy.testing.issuer import SimulatedIssuer
from launchworthy.testing.issuer_keys import ALGORITHMS
from launchworthy.tokens.metadata import metadata_url
from launchworthy.vocabulary import Problem, ProblemError

ELSEWHERE = tuple(case for case in (*CASES, *METHODS, *SESSIONS) if case.elsewhere)
"""What is asked of any server, in this order."""
OF_EACH_TARGET = frozenset({"credentials.none", "scopes", "arguments"})
"""What is asked for every tool that was named; the rest is asked for the first one."""
_LEEWAY, _LIFETIME = 120.0, 600.0
_NOT_FOUND, _TOO_MANY = 404, 429
_LIST = Target(name="tools/list", method="tools/list", params={}, scopes=())
NONE_GIVEN = "it needs a token, and no way to get one was given (--token-command or --issuer)"

Progress = Callable[[str, int, int], None]
FindIssuer = Callable[[Documents], Issuer]
"""From what the server says of itself to whoever makes tokens for it; `CannotMint` where nobody may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked for.

    Attributes:
        url: of the server, and the resource that tokens are for.
        tools: what may be called; nothing else ever is.
        tokens: where they come from.
        find_issuer: called once the server has said who it is.
        issuer: its URL, where it is known beforehand.
        only: cases and families that are asked about; all where none is named.
        bounds: how much is asked.
        verify: whose certificates are believed.
        progress: told what was just done.
    """

    url: str
    tools: tuple[Target, ...]
    tokens: Literal["issuer", "command", "none"]
    find_issuer: FindIssuer
    issuer: str | None
    bounds: Bounds
    verify: ssl.SSLContext
    progress: Progress
    only: frozenset[str] = frozenset()

    def wants(self, case: str) -> bool:
        """Whether a case is asked about."""
        return not self.only or case in self.only or case.partition(".")[0] in self.only

    @property
    def cases(self) -> tuple[Case, ...]:
        """What is sent, in this order."""
        return tuple(case for case in ELSEWHERE if self.wants(case.id))


@dataclass(slots=True, kw_only=True)
class Probing:
    """One run, which may end at any moment and has a report of what was found until then."""

    asked: Asked
    findings: list[Finding] = field(default_factory=list)
    served: list[str] = field(default_factory=list)
    not_served: dict[str, str] = field(default_factory=dict)
    sessions: bool = False
    ended: str | None = None
    requests: int = 0
    began: float = field(default_factory=time.time)

    def run(self) -> None:
        """Ask everything.

        Raises:
            ProblemError: `probe-unreachable`: nothing answers there.
        """
        with Wire(self.asked.bounds, self.asked.verify) as wire:
            try:
                self._run(wire)
            except Ended as ended:
                self.ended = str(ended)
            finally:
                self.requests = wire.requests

    def report(self) -> Report:
        """What was found."""
        return Report(
            url=self.asked.url,
            launchworthy=__version__,
            started_at=int(self.began),
            milliseconds=max(0, int((time.time() - self.began) * 1000)),
            requests=self.requests,
            revisions=tuple(self.served),
            not_served=self.not_served,
            sessions=self.sessions,
            targets=tuple(target.name for target in self.asked.tools or (_LIST,)),
            tokens=self.asked.tokens,
            ended=self.ended,
            findings=tuple(self.findings),
        )

    def _run(self, wire: Wire) -> None:
        asked = self.asked
        target, *others = asked.tools or (_LIST,)
        asked.progress("what the server says of itself", 0, 1)
        stranger = Asker(wire, probed_of(asked.url, target, Nobody(NONE_GIVEN)), is_open=True)
        first = stranger.send(stranger.draft(MODERN))
        if first.answer is None:
            raise ProblemError(_unreachable(asked.url, first.why))
        said = _documents(wire, asked.url, stranger, first)
        openly = tuple(revision for revision in BOTH if stranger.begin(revision).good)
        stranger.leave()
        documents = document_findings(said, asked.url, asked.issuer, is_open=bool(openly))
        self.findings.extend(each for each in documents if asked.wants(each.case))
        asker = self._asker(wire, said, target, is_open=bool(openly))
        if asker is None:
            return
        self._serve(asker)
        self._all_cases(asker, [target, *others])
        asker.leave()

    def _asker(self, wire: Wire, said: Documents, target: Target, *, is_open: bool) -> Asker | None:
        """Who asks from here on, with good tokens; None where none can be had."""
        if is_open:
            nobody = Nobody("the server answers without a token (credentials.none)")
            return Asker(wire, probed_of(self.asked.url, target, nobody), is_open=True)
        try:
            issuer = self.asked.find_issuer(said)
            granted = tuple(getattr(issuer, "scopes", ()))
            probed = probed_of(self.asked.url, replace(target, granted=granted), issuer)
            asker = Asker(wire, probed, is_open=False)
            asker.draft(MODERN).token()
        except CannotMint as error:
            for case in self.asked.cases:
                self.findings.append(row_of(case).found(not_run=str(error)))
            return None
        return asker

    def _serve(self, asker: Asker) -> None:
        """Find out in which revisions a good request goes through."""
        for revision in BOTH:
            reply = asker.begin(revision)
            if reply.good:
                self.served.append(revision)
            else:
                self.not_served[revision] = sanitise(f"a good request was answered with {reply.summary}")
        self.sessions = asker.probed.sessions

    def _all_cases(self, asker: Asker, targets: list[Target]) -> None:
        if not self.served:
            first = next(iter(self.not_served.values()))
            for case in self.asked.cases:
                self.findings.append(row_of(case).found(not_run=f"no good request goes through: {first}"))
            return
        for number, target in enumerate(targets):
            asker.towards(replace(target, granted=asker.probed.target.granted))
            learned = [learn_scopes(asker, self.served[0])] if target.named and not asker.is_open else []
            chosen = [case for case in self.asked.cases if number == 0 or _is_of_each_target(case)]
            for done, case in enumerate(chosen):
                self.asked.progress(f"{target.name}: {case.id}", done, len(chosen))
                self.findings.extend(self._case(asker, case))
            self.findings.extend(each for each in learned if self.asked.wants(each.case))

    def _case(self, asker: Asker, case: Case) -> Iterator[Finding]:
        row, target = row_of(case), asker.probed.target.name
        for revision in case.revisions:
            if revision not in case.elsewhere or revision not in self.served:
                continue
            try:
                if case.applies(asker.probed):
                    yield _run_case(asker, case, row, revision)
                else:
                    why = _does_not_apply(case, asker.probed)
                    yield row.found(revision=revision, target=target, not_run=why)
            except CannotMint as error:
                yield row.found(revision=revision, target=target, not_run=str(error))


def _run_case(asker: Asker, case: Case, row: Row, revision: str) -> Finding:
    """One case beside its twin, or why it was not run."""
    target = asker.probed.target.name
    changed = asker.draft(revision, case)
    if asker.is_open and case.id == "credentials.none":
        reply = asker.send(changed)
        wrong = faults(case, reply.answer, reply.why, revision=revision, token="")
        return row.found(revision=revision, target=target, seen=seen_of(reply.answer, reply.why), wrong=wrong)
    case.change(changed)
    if asker.is_open and (case.expected.challenge is not None or asker.shows_token(changed)):
        raise CannotMint("the server answers without a token (credentials.none)")
    token = "" if asker.is_open else changed.token()
    twin = asker.send_twin(revision, case)
    asker.keep_up(changed)
    kept = seen_of(twin.answer, twin.why)
    if not twin.good:
        not_run = f"the unchanged request did not go through: {twin.summary}{_hint(asker, twin)}"
        return row.found(revision=revision, target=target, twin=kept, not_run=not_run)
    reply = asker.send_with(changed, token)
    seen = seen_of(reply.answer, reply.why)
    silent = _says_nothing(case, reply, changed)
    if silent is not None:
        return row.found(revision=revision, target=target, seen=seen, twin=kept, not_run=silent)
    wrong = faults(case, reply.answer, reply.why, revision=revision, token=reply.token)
    return row.found(revision=revision, target=target, seen=seen, twin=kept, wrong=wrong)


def _says_nothing(case: Case, reply: Reply, sent: Draft) -> str | None:
    """Why an answer says nothing about the case; None where it does."""
    status = reply.answer.status if reply.answer is not None else None
    if status == _TOO_MANY:
        return "the server asked for fewer requests"
    if status == _NOT_FOUND and sent.session is not None and case.expected.challenge is not None:
        return "the server refused the session before it looked at the token"
    return None


def _is_of_each_target(case: Case) -> bool:
    return case.id in OF_EACH_TARGET or case.id.partition(".")[0] in OF_EACH_TARGET


def _does_not_apply(case: Case, probed: Probed) -> str:
    if case.id.startswith("sessions."):
        return "the server keeps no sessions"
    if not probed.target.named:
        return "it needs a call, and no tool was named (--tool)"
    if case.id == "scopes.none":
        return "the good token does not say what it is good for"
    if case.id.startswith("scopes."):
        return "it is not known which scopes the tool needs (scopes.none)"
    if case.id.startswith("arguments."):
        return "the tool was named without such an argument (--tool 'NAME={…}')"
    return "it cannot be made with this issuer's keys"


def _hint(asker: Asker, twin: Reply) -> str:
    if asker.probed.target.named and twin.answer is not None and twin.answer.status in {200, 400}:
        return "; does the tool need arguments? --tool 'NAME={…}'"
    return ""


def _documents(wire: Wire, url: str, stranger: Asker, first: Reply) -> Documents:
    draft = stranger.draft(MODERN)
    draft.headers += [
        ("x-forwarded-host", "probe.invalid"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "host=probe.invalid;proto=https"),
    ]
    forwarded = stranger.send(draft)
    heard = [Heard(answer=reply.answer, why=reply.why) for reply in (first, forwarded)]
    return read_documents(wire, url, *heard)


def probed_of(url: str, target: Target, issuer: Issuer) -> Probed:
    """What is known of a server that is not ours: next to nothing."""
    try:
        algorithm = issuer.keys.active().algorithm
    except CannotMint:
        algorithm = ALGORITHMS[0]
    signs_with = algorithm if algorithm in ALGORITHMS else ALGORITHMS[0]
    return Probed(
        resource=url,
        metadata_url=metadata_url(url),
        target=target,
        targets=(target,),
        scopes=target.granted,
        entry_scopes=(),
        revisions=BOTH,
        max_body=0,
        issuer=issuer,
        stranger=SimulatedIssuer({url: target.granted}, algorithms=(signs_with,)),
        leeway=_LEEWAY,
        max_lifetime=_LIFETIME,
        scope_claim="scope",
        client_claim="client_id",
        clock=time.time,
    )


def read_cases(names: tuple[str, ...]) -> frozenset[str]:
    """The cases and families that a person named.

    Raises:
        ProblemError: `probe-case`.
    """
    ids = {row.id for row in ROWS} | {STEP_UP.id} | {case.id for case in ELSEWHERE}
    known = ids | {each.partition(".")[0] for each in ids}
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            question = f"; did you mean `{close[0]}`?" if close else ""
            families = ", ".join(sorted(known - ids))
            what = f"`{sanitise(name)}` is no case and no family{question}"
            raise ProblemError(Problem(reason="probe-case", what=what, fix=(f"families: {families}",)))
    return frozenset(names)


def _unreachable(url: str, why: str) -> Problem:
    fix = ("see that the server runs and that this machine may reach it; --ca FILE for a CA of your own",)
    return Problem(reason="probe-unreachable", what=f"`{sanitise(url)}` does not answer: {why}", fix=fix)


__all__ = ["ELSEWHERE", "NONE_GIVEN", "Asked", "Probing", "probed_of", "read_cases"]
