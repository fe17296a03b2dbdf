"""What does `audit show` look like? A picture of its real output, from a stream that is written for it."""

import sys
import tempfile
from collections.abc import Callable
from html import escape
from pathlib import Path

from typer.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "audit"))

from audit_world import SECOND, Authority, Clock, attempt, bound_stream, outcome

from launchworthy.audit.events import (
    ApprovalGranted,
    AuthnDenied,
    ConfigLoaded,
    CredentialIssued,
    CredentialRevoked,
    RequestServed,
    ServerReady,
    ServerStarting,
    ToolDenied,
    ToolInputRequired,
)
from launchworthy.cli.main import app
from launchworthy.vocabulary import Reason

BEGIN = 1_795_143_720 * SECOND  # 2026-11-20T03:02:00Z
NBSP = "\u00a0"  # spaces that every viewer keeps
ON_CALL, SCOPE = "https://on-call.acme.example/orders", Reason.TOOL_SCOPE
CALL = "4T7K-9QX2-M0DV"
FIRST = "9W1F-T6ZB-8QXN"
WIDTH, LINE, LEFT, TOP = 8.43, 19, 20, 58


def audit_show_svg() -> str:
    """The list and one call's story, as a terminal shows them."""
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        authority = Authority(at=BEGIN)
        trust = authority.write_bundle(directory / "trust")
        _write(directory / "audit", authority)
        listed = _run("show", str(directory / "audit"))
        story = _run("show", str(directory / "audit"), "--call", CALL, "--trust", str(trust))
    commands = (
        "launchworthy audit show /var/log/launchworthy",
        f"launchworthy audit show /var/log/launchworthy --call {CALL} --trust /etc/launchworthy/bundles",
    )
    shown = ["$ " + commands[0], *listed, "", "$ " + commands[1], "", *story]
    return drawn([line.rstrip() for line in shown], title="launchworthy audit show", colour=_colour)


def _run(*arguments: str) -> list[str]:
    shown = CliRunner().invoke(app, ["audit", *arguments])
    if shown.exit_code != 0:
        raise SystemExit(shown.output)
    return shown.stdout.rstrip("\n").splitlines()


def _write(directory: Path, authority: Authority) -> None:
    clock = Clock(now=BEGIN, step=0)
    stream = bound_stream(directory, authority.issue(), clock=clock)
    who = {"issuer": "https://login.acme.example", "subject": "00u4f2c", "client": "support-agent"}
    asked = {"approval": "1b9dd1e5", "approval_method": "url", "target": "refund_order", **who}
    lease = {"call": CALL, "target": "refund_order", "credential": "payments", "broker": "openbao"}
    at = BEGIN // SECOND
    until = at + 11 + 120
    steps = (
        (0.0, ServerStarting(environment="production", version="0.1.0", instance="orders-7d4-k2x")),
        (0.0, ConfigLoaded(owner="@acme/orders", on_call=ON_CALL, runbook="RUNBOOK.md")),
        (0.9, ServerReady(resource="https://orders.acme.example/mcp")),
        (2.1, AuthnDenied(call="5KQ8-0T2M-WX7B", reason=Reason.TOKEN_AUDIENCE, status=401)),
        (3.0, RequestServed(call="2MZR-84NC-QP1A", method="tools/list", status=200, milliseconds=1, **who)),
        (3.4, ToolInputRequired(call=FIRST, method="tools/call", rules=("approval:refund_order",), **asked)),
        (11.48, ApprovalGranted(call=CALL, asked_by=FIRST, approver="00u4f2c", age=8, **asked)),
        (11.482, attempt(CALL, token_id="kid:9d02aabb")),
        (11.486, CredentialIssued(lease="5d1c0f9e", scopes=("refunds:create",), not_after=until, **lease)),
        (11.701, CredentialRevoked(lease="5d1c0f9e", detail="by the broker", **lease)),
        (11.703, outcome(CALL)),
        (12.2, ToolDenied(call="7M2C-0RAE-4HKD", target="place_order", reason=SCOPE, status=403, **who)),
        (12.9, AuthnDenied(reason=Reason.TOKEN_SIGNATURE, status=401, count=1873)),
    )  # fmt: skip
    for after, event in steps:
        clock.now = BEGIN + round(after * 1000) * (SECOND // 1000)
        stream.record(event, critical=True)
    clock.now = BEGIN + 15 * SECOND
    stream.close()


def drawn(lines: list[str], *, title: str, colour: Callable[[str], str]) -> str:
    """A terminal that shows these lines, as SVG that needs no other file.

    Args:
        lines: from the top.
        title: for who cannot see it.
        colour: of each line.
    """
    width = round(2 * LEFT + max(map(len, lines)) * WIDTH)
    height = TOP + LINE * len(lines) + 12
    size = f'width="{width}" height="{height}"'
    font = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
    text = "\n".join(
        f'<text x="{LEFT}" y="{TOP + LINE * number}" fill="{colour(line)}">{_kept(line)}</text>'
        for number, line in enumerate(lines)
        if line
    )
    dots = "".join(
        f'<circle cx="{22 + 18 * number}" cy="20" r="6" fill="{dot}"/>'
        for number, dot in enumerate(("#f7768e", "#e0af68", "#9ece6a"))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {size}>\n'
        f'<title>{escape(title)}</title>\n<rect {size} rx="8" fill="#1a1b26"/>\n'
        f'{dots}\n<g font-family="{font}" font-size="14">\n{text}\n</g>\n</svg>\n'
    )


def _kept(line: str) -> str:
    return escape(line).replace(" ", NBSP)


def _colour(line: str) -> str:
    if line.startswith("$"):
        return "#7aa2f7"
    if "denied" in line:
        return "#f7768e"
    if "approval asked" in line or line.startswith("approved"):
        return "#e0af68"
    return "#9ece6a" if "allowed, done" in line or line.startswith("intact") else "#c0caf5"
