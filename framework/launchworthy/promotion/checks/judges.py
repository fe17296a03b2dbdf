"""Is there anybody else who judges? Only programs that are installed can."""

from collections.abc import Iterator

from launchworthy.promotion.checks.assertions import seen
from launchworthy.promotion.finding import Assertion, NotApplicable
from launchworthy.promotion.judges.installed import installed
from launchworthy.promotion.project import Project
from launchworthy.promotion.registry import registry


@registry.check("META-02")
def who_else_judges(project: Project) -> Iterator[Assertion]:
    """Which judges are here; not applicable where none is, and none is required."""
    found = sorted(installed())
    if not found and not project.settings.promotion.judges:
        raise NotApplicable("no second judge is installed here, and [promotion] judges requires none")
    yield seen(f"second judges: {', '.join(found) or 'none is here'}")
