"""How is a deployment looked at, from its documents to its canary? Step by step, and changing nothing.

Tokens come from its real authorization server, by the way that its metadata offer. They are sent to the URL
that was named, once the server has said that it is whom they are for.
"""

import asyncio
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cryptography.x509 import Certificate

from launchworthy._version import __version__
from launchworthy.audit.sanitiser import sanitise, sanitise_label
from launchworthy.manifest import Manifests
from launchworthy.probe.documents import Documents
from launchworthy.probe.issuing import CannotMint, Issuer
from launchworthy.probe.probed import Probed, Target
from launchworthy.probe.probing import Asked, Probing, probed_of, read_cases
from launchworthy.probe.remote_issuer import is_loopback
from launchworthy.probe.report import DOCUMENTS, Report, Result
from launchworthy.probe.token_command import CommandIssuer, GivenIssuer
from launchworthy.probe.wire import Bounds, Ended, Wire
from launchworthy.promotion.live.authorization_server import AuthorizationServer, KnownClient, Unusable
from launchworthy.promotion.live.document import Canary, How, LiveDocument, Row, Step
from launchworthy.promotion.live.judging import judged
from launchworthy.promotion.live.sign_in import SignIn
from launchworthy.promotion.live.through import good_requests, missing_scope, row, send_canary
from launchworthy.server.issuers import issuer_policy
from launchworthy.settings import Settings
from launchworthy.tokens import IssuerPolicy, NobodyDenied
from launchworthy.tokens.fetch import SECONDS, Network, resolve
from launchworthy.tokens.verifier import TokenVerifier
from launchworthy.vocabulary import BearerToken, Environment, Principal, Refused, StartupRefused

_FAMILIES = ("metadata", "challenge", "credentials", "audience", "signature", "purpose", "dates")
_A_SECOND, _ON_THIS_MACHINE = 20.0, 500.0
_SECONDS, _SECONDS_OF_PEOPLE = 180.0, 1800.0
_AUDIENCE = "audience"
_LIST = Target(name="tools/list", method="tools/list", params={}, scopes=())

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What is looked at, and with what.

    Attributes:
        url: its public URL, and the resource of its tokens.
        environment: which it is.
        settings: of that environment.
        manifests: what it should serve.
        roots: of the trust domain of its identity, as the platform pinned them.
        client: who the authorization server knows, if somebody was named.
        token_command: prints tokens, where no client can get them alone.
        sign_in: who signs in for them; None where nobody is asked to.
        environ: what that command finds.
        verify: whose certificates are believed.
        clock: seconds since the epoch.
        progress: told what was just done.
    """

    url: str
    environment: Environment
    settings: Settings
    manifests: Manifests
    roots: Sequence[Certificate]
    client: KnownClient | None
    token_command: str | None
    sign_in: SignIn | None
    environ: dict[str, str] = field(repr=False)
    verify: ssl.SSLContext
    clock: Callable[[], float]
    progress: Progress

    @property
    def bounds(self) -> Bounds:
        """How much is asked of it: little, where others are served there."""
        per_second = _ON_THIS_MACHINE if is_loopback(self.url) else _A_SECOND
        seconds = _SECONDS if self.sign_in is None else _SECONDS_OF_PEOPLE
        return Bounds(per_second=per_second, requests=600, seconds=seconds)

    @property
    def scopes(self) -> tuple[str, ...]:
        """Every scope that a manifest names."""
        named = (scope for target in self.manifests.targets.values() for scope in target.scopes)
        return tuple(dict.fromkeys(named))


class LiveRun:
    """One run. What was seen until something breaks off stays in the document."""

    def __init__(self, deployment: Deployment) -> None:
        """Ask nothing yet."""
        self._deployment = deployment
        self._rows: list[Row] = []
        self._issuer: str | None = None
        self._server: AuthorizationServer | None = None
        self._tokens: GivenIssuer | None = None
        self._canary: Canary | None = None

    def run(self) -> LiveDocument:
        """Look at everything.

        Raises:
            ProblemError: `probe-unreachable`: nothing answers there.
        """
        began = time.monotonic()
        deployment = self._deployment
        probing = Probing(
            asked=Asked(
                url=deployment.url,
                tools=(),
                tokens="command",
                find_issuer=self._find_issuer,
                issuer=None,
                bounds=deployment.bounds,
                verify=deployment.verify,
                progress=deployment.progress,
                only=read_cases(_FAMILIES),
            )
        )
        started = int(deployment.clock())
        requests = 0
        try:
            probing.run()
            self._rows.extend(_of_probe(probing.report()))
            if self._tokens is not None:
                requests = self._on_the_public_way(self._tokens)
        finally:
            left = self._server.close() if self._server is not None else None
        if left is not None:
            self._say(Step.REGISTRATION, How.RIGHT, left, person="delete it there")
        return LiveDocument(
            launchworthy=__version__,
            project=deployment.manifests.server.name,
            environment=deployment.environment.value,  # type: ignore[arg-type]
            url=deployment.url,
            issuer=self._issuer,
            started_at=started,
            milliseconds=int((time.monotonic() - began) * 1000),
            requests=probing.requests + requests,
            rows=tuple(sorted(self._rows, key=lambda each: list(Step).index(each.step))),
            canary=self._canary,
        )

    def _say(self, step: Step, how: How, says: str, *, person: str | None = None) -> None:
        self._rows.append(row(step, how, says, person=person))

    def _find_issuer(self, said: Documents) -> Issuer:
        """From the server's documents to good tokens.

        Raises:
            CannotMint: there is no way to one.
        """
        deployment = self._deployment
        if said.resource != deployment.url:
            named = sanitise_label(str(said.resource))
            self._say(Step.METADATA, How.WRONG, f"its metadata are for `{named}`, not for the URL")
            raise CannotMint("the server does not say that it is whom tokens would be for")
        policy = self._trusted(said)
        self._issuer = policy.issuer
        if deployment.token_command is not None:
            ask: Issuer = self._tokens_of_command()
        else:
            ask = self._tokens_of_client(policy)
        self._look_at_token(policy)
        return ask

    def _trusted(self, said: Documents) -> IssuerPolicy:
        """The issuer that the document and the settings name alike; in the simulated world, the document's.

        Raises:
            CannotMint: there is none.
        """
        offered = said.document.get("authorization_servers", ()) if said.document is not None else ()
        offered = [each for each in offered if isinstance(each, str)] if isinstance(offered, list) else []
        for policy in self._policies(offered):
            if policy.issuer in offered:
                self._say(Step.METADATA, How.RIGHT, f"it names {policy.issuer}, as the settings do")
                return policy
        what = f"it names {sanitise(', '.join(offered)) or 'no issuer'}, and the settings name another"
        self._say(Step.METADATA, How.WRONG, what)
        raise CannotMint("the server names none of the issuers of its settings")

    def _policies(self, offered: list[str]) -> Iterator[IssuerPolicy]:
        """What is accepted of each issuer; the simulated world has others in the places of the settings'."""
        settings = self._deployment.settings
        for name, table in settings.issuers.items():
            policy = issuer_policy(name, table, settings)
            if not self._deployment.environment.simulated:
                yield policy
                continue
            for each in offered:
                if is_loopback(each):
                    yield replace(policy, issuer=each, jwks_uri=None, allow_loopback_http=True)

    def _tokens_of_command(self) -> GivenIssuer:
        deployment = self._deployment
        self._say(Step.SERVER, How.RIGHT, "not asked: the token command knows it")
        self._say(Step.REGISTRATION, How.NOT_RUN, "tokens come from a command, whose client is its own")
        self._tokens = CommandIssuer(
            deployment.token_command or "", deployment.url, deployment.clock, deployment.environ
        )
        return self._tokens

    def _tokens_of_client(self, policy: IssuerPolicy) -> GivenIssuer:
        deployment = self._deployment
        server = self._server = AuthorizationServer(
            policy.issuer,
            verify=deployment.verify,
            simulated=policy.allow_loopback_http,
            clock=deployment.clock,
            sign_in=deployment.sign_in,
        )
        step = Step.SERVER
        try:
            self._say(step, How.RIGHT, server.discover())
            for weakness in server.weaknesses():
                self._say(step, How.RIGHT, f"but {weakness}")
            step = Step.REGISTRATION
            self._say(step, How.RIGHT, server.come_to_client(deployment.client, deployment.scopes))
        except Unusable as error:
            self._say(step, How.NOT_RUN if error.person else How.WRONG, str(error), person=error.person)
            raise CannotMint(str(error)) from None
        every = " ".join(deployment.scopes)

        def ask(resource: str, scope: str | None) -> str:
            return server.token(resource, every if scope is None else scope)

        self._tokens = GivenIssuer(ask, deployment.url, deployment.clock)
        return self._tokens

    def _look_at_token(self, policy: IssuerPolicy) -> None:
        """The first token, as the server will look at it: whom it is for, by which key, and all the rest.

        Raises:
            CannotMint: there is none.
        """
        if self._tokens is None:
            raise CannotMint("there is nobody to ask for a token")
        try:
            every = self._tokens.scopes
            grant = self._tokens.grant(resource=self._deployment.url, scopes=every, claims={})
            token = self._tokens.mint(grant, claims={}, header={})
        except CannotMint as error:
            self._say(Step.ISSUANCE, How.WRONG, str(error))
            self._tokens = None
            raise
        how = "" if self._deployment.sign_in is None else ", for a code that a person brought, with PKCE"
        self._say(Step.ISSUANCE, How.RIGHT, f"a bearer token for {self._deployment.url}{how}")
        try:
            principal = asyncio.run(self._verified(policy, token))
        except StartupRefused as refused:
            self._say(Step.KEYS, How.WRONG, refused.problems[0].what)
        except Refused as refused:
            self._say(Step.KEYS, How.RIGHT, "the issuer's keys were read as the server reads them")
            audience = refused.reason.value == "token.audience"
            step = Step.AUDIENCE if audience else Step.VALIDATION
            self._say(step, How.WRONG, f"{refused.reason.value}: {sanitise(refused.detail)}")
        else:
            self._say(Step.KEYS, How.RIGHT, "the issuer's keys were read as the server reads them")
            self._say(Step.AUDIENCE, How.RIGHT, "the token is for exactly this server, byte for byte")
            granted = " ".join(sorted(principal.scopes)) or "no scope"
            what = f"all the rules of the server hold: a {principal.kind.value} with {granted}"
            self._say(Step.VALIDATION, How.RIGHT, what)

    async def _verified(self, policy: IssuerPolicy, token: str) -> Principal:
        deployment = self._deployment
        verifier = TokenVerifier(
            (policy,),
            deployment.url,
            {},
            lambda _: None,
            time.monotonic,
            deny=NobodyDenied(),
            network=Network(resolve=resolve, tls=deployment.verify, seconds=SECONDS),
        )
        await verifier.start(SECONDS * 2)
        try:
            return await verifier.verify(BearerToken(token), int(deployment.clock()))
        finally:
            await verifier.aclose()

    def _on_the_public_way(self, tokens: GivenIssuer) -> int:
        """Good requests, one without a scope, and the canary; returns how many requests that took."""
        deployment = self._deployment
        probed: Probed = replace(
            probed_of(deployment.url, replace(_LIST, granted=tokens.scopes), tokens),
            revisions=tuple(deployment.settings.server.revisions),
            scopes=deployment.scopes,
        )
        identity = deployment.settings.identity
        source = (
            identity.expected_id
            if identity.kind == "spiffe" and not deployment.environment.simulated
            else None
        )
        with Wire(deployment.bounds, deployment.verify) as wire:
            try:
                self._rows.extend(good_requests(wire, probed))
                self._rows.append(missing_scope(wire, probed, tuple(deployment.manifests.targets.values())))
                said, self._canary = send_canary(wire, probed, source=source, roots=deployment.roots)
                self._rows.append(said)
                self._rows.extend(self._judged(tokens))
            except (Ended, CannotMint) as error:
                self._say(Step.THROUGH, How.WRONG, f"it broke off: {error}")
            return wire.requests

    def _judged(self, tokens: GivenIssuer) -> Iterator[Row]:
        deployment = self._deployment
        grant = tokens.grant(resource=deployment.url, scopes=tokens.scopes, claims={})
        return judged(
            deployment.url,
            token=tokens.mint(grant, claims={}, header={}),
            granted=tokens.scopes,
            manifests=deployment.manifests,
            environment=deployment.environment,
            verify=deployment.verify,
        )


def _of_probe(report: Report) -> Iterator[Row]:
    """What black-box cases found: whatever is wrong by itself, the rest in numbers."""
    for finding in report.of(Result.WRONG):
        step = Step.METADATA if finding.family in DOCUMENTS else Step.PROBE
        step = Step.WRONG_AUDIENCE if finding.family == _AUDIENCE else step
        yield row(step, How.WRONG, f"{finding.case}: {'; '.join(finding.wrong)}")
    right = [finding for finding in report.of(Result.RIGHT) if finding.family not in DOCUMENTS]
    if report.ended is not None:
        yield row(Step.PROBE, How.WRONG, f"it ended early: {report.ended}")
    elif right:
        refused = sum(finding.family != _AUDIENCE for finding in right)
        not_run = len(report.of(Result.NOT_RUN))
        yield row(Step.PROBE, How.RIGHT, f"{refused} attacks are refused; {not_run} need an issuer that lies")
    audience = [finding for finding in right if finding.family == _AUDIENCE]
    not_run_why = [
        finding.not_run or "" for finding in report.of(Result.NOT_RUN) if finding.family == _AUDIENCE
    ]
    if audience:
        yield row(Step.WRONG_AUDIENCE, How.RIGHT, "a good token for somebody else is refused")
    elif not_run_why:
        why = next((each for each in not_run_why if "no token for" in each), not_run_why[0])
        yield row(Step.WRONG_AUDIENCE, How.NOT_RUN, why)


def default_file(root: Path, environment: Environment) -> Path:
    """Where the document goes, if nothing is said: where it can be committed."""
    return root / "evidence" / f"live-{environment.value}.json"
