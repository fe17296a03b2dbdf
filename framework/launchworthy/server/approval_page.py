"""How is the page put together where people approve calls? Loaded only where a manifest asks on one."""

import time
from collections.abc import Callable

from launchworthy.approval import Approver, OnPage, Sealed, WaitingRoom
from launchworthy.credentials.client_proof import PROOF_OF_IDENTITY, ClientProof, ProofKind
from launchworthy.enforcement.request import PageRoute
from launchworthy.manifest import ApprovalMode
from launchworthy.server.approvals import sealed
from launchworthy.server.control import DeniedCallers
from launchworthy.server.parts import Parts
from launchworthy.tokens.endpoint import EndpointError
from launchworthy.tokens.fetch import system_network
from launchworthy.vocabulary import Principal, PrincipalKind, Problem, ProblemError


def open_page(parts: Parts) -> None:
    """Have the page ready, where a tool of this environment asks on one.

    Raises:
        ProblemError: an address of the settings is one that we do not connect to.
    """
    parts.on_page, parts.page = None, None
    targets = parts.manifests.targets.values()
    rules = [each.approval for each in targets if each.approval is not None and each.runs_in(parts.rehearsed)]
    if not any(rule.mode is ApprovalMode.URL for rule in rules):
        return
    try:
        _open(parts)
    except EndpointError as error:
        problem = Problem(
            reason="approval-address",
            what=f"[approval] names an address that we do not connect to: {error}",
            fix=("name an https address by a plain host name",),
            field="approval",
        )
        raise ProblemError(problem) from None


def routes(parts: Parts) -> tuple[PageRoute, ...]:
    """Where the page is; nowhere, where there is none."""
    if parts.page is None:
        return ()
    from launchworthy.approval.page import ROUTES  # noqa: PLC0415 - loaded already, where there is one

    return ROUTES


def _open(parts: Parts) -> None:
    from launchworthy.approval.page import (  # noqa: PLC0415 - only where somebody is asked on a page
        ApprovalPage,
        AuthorizationServer,
        Cookies,
        SignIns,
    )
    from launchworthy.credentials.code_exchange import CodeExchange  # noqa: PLC0415

    settings, bits = parts.settings.approval, parts.surroundings.random_bits
    resource, name = parts.settings.server.resource, str(settings.issuer)
    issuer = parts.settings.issuers[name].issuer
    client = settings.client or parts.settings.identity.expected_id
    network, simulated = system_network(), parts.settings.environment.simulated
    room = WaitingRoom(sealed(parts, Sealed.WAITING), parts.store)
    server = AuthorizationServer(
        issuer,
        client=client,
        scopes=settings.scopes,
        endpoint=settings.authorization_endpoint,
        network=network,
        simulated=simulated,
        monotonic=time.monotonic,
    )
    codes = CodeExchange(
        issuer,
        endpoint=settings.token_endpoint,
        proof=_proof(parts, client),
        network=network,
        simulated=simulated,
        monotonic=time.monotonic,
    )
    check_not_denied = _denials(parts, client)
    parts.on_page = OnPage(room, resource=resource, sign_in=issuer, check_not_denied=check_not_denied)
    parts.page = ApprovalPage(
        room,
        SignIns(server, codes, parts.verifier.id_tokens(name), parts.store, bits, resource=resource),
        Cookies(
            sealed(parts, Sealed.SIGN_IN), sealed(parts, Sealed.VISIT), secure=resource.startswith("https://")
        ),
        parts.audit,
        bits,
        check_not_denied=check_not_denied,
        title=parts.manifests.server.title,
        resource=resource,
    )


def _proof(parts: Parts, client: str) -> ClientProof:
    kind = parts.settings.approval.assertion
    by_identity = PROOF_OF_IDENTITY.get(parts.settings.identity.kind, ProofKind.JWT_BEARER)
    return ClientProof(
        by_identity if kind is None else ProofKind(kind),
        client,
        parts.identity,
        clock=parts.surroundings.clock,
        random_bits=parts.surroundings.random_bits,
    )


def _denials(parts: Parts, client: str) -> Callable[[Approver], None]:
    """The control list, asked about whoever answers as it is about callers."""
    denied = DeniedCallers(parts.control)

    def check(approver: Approver) -> None:
        now = parts.now()
        denied.refuse(
            Principal(
                issuer=approver.issuer,
                subject=approver.subject,
                client=client,
                kind=PrincipalKind.PERSON,
                scopes=frozenset(),
                actors=(),
                token_id="",
                issued_at=now,
                expires_at=now,
            )
        )

    return check
