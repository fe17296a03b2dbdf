"""@modelcontextprotocol/conformance: does the official suite agree, where it needs no tools of its own?"""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field, TypeAdapter, ValidationError

from launchworthy.promotion.judges.program import Said, failed, find_program, run_judge

NAME: Final = "conformance"
SCENARIOS: Final = ("tools-list", "caching", "http-header-validation", "dns-rebinding-protection")
"""Those that ask for nothing but what every server has."""
_SECONDS: Final = 45.0
_Word = Annotated[str, Field(max_length=4000)]
_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")


class _Check(Said):
    id: _Word
    status: _Word
    description: _Word = ""
    details: dict[str, Any] = Field(default_factory=dict)


_CHECKS: Final = TypeAdapter(tuple[_Check, ...])


def find() -> Path | None:
    """Where it is."""
    return find_program(NAME)


def scenario_findings(
    program: Path, url: str, scenario: str, *, folder: Path
) -> tuple[tuple[str, ...], frozenset[str] | None, int]:
    """What fails in a scenario, the tools that it has seen (None where it looks at none), how much succeeded.

    Raises:
        ProblemError: `judge-failed`.
    """
    results = Path(tempfile.mkdtemp(prefix="conformance-", dir=folder))
    command: list[str | Path] = [program, "server", "--url", url, "--scenario", scenario, "-o", results]
    run_judge(NAME, command, folder=folder, seconds=_SECONDS)
    checks = tuple(_checks(results, scenario))
    wrong = tuple(_told(check) for check in checks if check.status == "FAILURE")
    seen = [check.details["tools"] for check in checks if isinstance(check.details.get("tools"), list)]
    tools = frozenset(str(tool) for tools in seen for tool in tools) if seen else None
    return wrong, tools, sum(check.status == "SUCCESS" for check in checks)


def _checks(results: Path, scenario: str) -> Iterator[_Check]:
    found = sorted(results.glob("*/checks.json"))
    if not found:
        raise failed(NAME, f"left no result of `{scenario}`")
    for file in found:
        try:
            yield from _CHECKS.validate_json(file.read_bytes())
        except ValidationError:
            raise failed(NAME, "said something that is not its report") from None


def _told(check: _Check) -> str:
    name = check.id if _ID.fullmatch(check.id) else "a check"
    return f"{name}: {check.description[:200]}"
