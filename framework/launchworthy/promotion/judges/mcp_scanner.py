"""cisco-ai-mcp-scanner: what does it read in the tools, and in how the endpoint answers?

Its rules (YARA) look for poisoned descriptions, its checks of the protocol for what is open to strangers.
Offline: neither a language model nor anybody's service is asked.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from launchworthy.promotion.judges.program import Said, failed, find_program, read_said, run_judge

NAME: Final = "mcp-scanner"
_SECONDS: Final = 90.0
_PLAIN: Final = "MCPS-001"
"""That there is no TLS: on loopback nobody claims it."""
_Word = Annotated[str, Field(max_length=2000)]


class _Details(Said):
    check_id: _Word


class _ProtocolFinding(Said):
    severity: _Word
    summary: _Word
    details: _Details


class _Protocol(Said):
    findings: tuple[_ProtocolFinding, ...]


class _Analyzer(Said):
    severity: _Word
    threat_names: tuple[_Word, ...] = ()
    total_findings: int = 0


class _Tool(Said):
    tool_name: _Word
    status: _Word
    findings: dict[str, _Analyzer] = Field(default_factory=dict)


class _Remote(Said):
    scan_results: tuple[_Tool, ...]


def find() -> Path | None:
    """Where it is."""
    return find_program(NAME)


def protocol_findings(program: Path, url: str, *, folder: Path, simulated: bool) -> Iterator[str]:
    """What it holds against the endpoint, asked without a token.

    Raises:
        ProblemError: `judge-failed`.
    """
    ran = run_judge(
        NAME, [program, "--format", "raw", "protocol", "--server-url", url], folder=folder, seconds=_SECONDS
    )
    if ran.code != 0:
        raise failed(NAME, f"could not look at the protocol (exit {ran.code})")
    for finding in read_said(NAME, ran.stdout, _Protocol).findings:
        if not (simulated and finding.details.check_id == _PLAIN):
            yield f"{finding.details.check_id} ({finding.severity.lower()}): {finding.summary}"


def tool_findings(program: Path, url: str, *, folder: Path) -> tuple[frozenset[str], tuple[str, ...]]:
    """The tools that it has seen, and what it holds against them.

    Args:
        program: where it is.
        url: where a token is not needed: what stands there adds one.
        folder: of the stage.

    Raises:
        ProblemError: `judge-failed`.
    """
    ran = run_judge(
        NAME,
        [program, "--analyzers", "yara,schema", "--format", "raw", "remote", "--server-url", url],
        folder=folder,
        seconds=_SECONDS,
    )
    if ran.code != 0:
        raise failed(NAME, f"could not look at the tools (exit {ran.code})")
    tools = read_said(NAME, ran.stdout, _Remote).scan_results
    if any(tool.status != "completed" for tool in tools):
        raise failed(NAME, "did not finish looking at a tool")
    held = tuple(
        f"`{tool.tool_name}`: {', '.join(finding.threat_names) or name} ({finding.severity.lower()})"
        for tool in tools
        for name, finding in sorted(tool.findings.items())
        if finding.total_findings > 0
    )
    return frozenset(tool.tool_name for tool in tools), held
