"""What do second judges say of a deployment? Those that are installed here, by the public URL."""

import ssl
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from launchworthy.audit.sanitiser import sanitise
from launchworthy.manifest import Manifests, TargetKind, Visibility, implied_scopes, missing_scopes
from launchworthy.promotion.judges import mcp_scanner
from launchworthy.promotion.live.document import How, Row, Step
from launchworthy.promotion.live.through import row
from launchworthy.testing.proxy import SimulatedProxy
from launchworthy.vocabulary import Environment, ProblemError


def judged(
    url: str,
    *,
    token: str,
    granted: tuple[str, ...],
    manifests: Manifests,
    environment: Environment,
    verify: ssl.SSLContext,
) -> Iterator[Row]:
    """Have the scanner look at what a caller with this token sees, and at what strangers get.

    Args:
        url: the public one.
        token: added between the scanner and the server, so that no command line shows it.
        granted: what it is good for.
        manifests: what should be seen.
        environment: where.
        verify: whose certificates are believed.
    """
    program = mcp_scanner.find()
    if program is None:
        yield row(Step.JUDGES, How.NOT_RUN, f"`{mcp_scanner.NAME}` is not installed here")
        return
    parts = urlsplit(url)
    tls = verify if parts.scheme == "https" else None
    with (
        tempfile.TemporaryDirectory(prefix="lw-") as folder,
        SimulatedProxy(
            url,
            tls=tls,
            change=lambda passing: passing.instead("Host", parts.netloc).instead(
                "Authorization", f"Bearer {token}"
            ),
        ) as shim,
    ):
        try:
            seen, held = mcp_scanner.tool_findings(program, f"{shim.url}{parts.path}", folder=Path(folder))
            held += tuple(
                mcp_scanner.protocol_findings(
                    program, url, folder=Path(folder), simulated=environment.simulated
                )
            )
        except ProblemError as error:
            yield row(Step.JUDGES, How.WRONG, error.problems[0].what)
            return
    expected = {_visible(manifests, granted, environment, way_back=way_back) for way_back in (True, False)}
    if seen not in expected:
        most = max(expected, key=len)
        yield row(
            Step.JUDGES,
            How.WRONG,
            f"{mcp_scanner.NAME} saw {len(seen)} tools, and {len(most)} should be seen",
        )
    for each in held:
        yield row(Step.JUDGES, How.WRONG, f"{mcp_scanner.NAME}: {sanitise(each)}")
    if seen in expected and not held:
        yield row(
            Step.JUDGES,
            How.RIGHT,
            f"{mcp_scanner.NAME} saw all {len(seen)} tools, and holds nothing against them",
        )


def _visible(
    manifests: Manifests, granted: tuple[str, ...], environment: Environment, *, way_back: bool
) -> frozenset[str]:
    meant = Environment.PRODUCTION if environment is Environment.REHEARSAL else environment
    scopes = implied_scopes(granted, manifests.server.scopes.implies)
    return frozenset(
        target.name
        for target in manifests.targets.values()
        if target.kind is TargetKind.TOOL
        and target.runs_in(meant)
        and target.visibility is Visibility.SCOPED
        and not missing_scopes(target, scopes)
        and (way_back or target.approval is None)
    )
