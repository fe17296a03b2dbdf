"""Ownership: does somebody answer for this server, today, and is nothing taken on trust without a rule?"""

import datetime as dt
from collections.abc import Iterator

from launchworthy.manifest import line_of, placeholders
from launchworthy.promotion.checks.assertions import broken, seen
from launchworthy.promotion.finding import Assertion
from launchworthy.promotion.project import Project
from launchworthy.promotion.registry import registry

SERVER = "manifests/server.toml"
REVIEW_DAYS = 90
_SAYS = {
    "ownership.approvers": "nobody approves what goes to production",
    "ownership.on_call": "nobody is on call",
    "ownership.security": "there is no address for vulnerabilities",
    "ownership.owner": "nobody owns this server",
}


@registry.check("GOV-01")
def somebody_answers_for_it(project: Project) -> Iterator[Assertion]:
    """Owner, on-call, security contact and runbook are real, and were read in the last 90 days."""
    ownership = project.manifests.server.ownership
    for field, value, where in placeholders(project.manifests):
        written, named = f'"{value}"', field
        if field.rpartition(".")[2].isdigit():  # one of a list
            written, named = f"[{written}]", field.rpartition(".")[0]
        said = _SAYS.get(named, f"`{named}` was left for later")
        yield broken(f"{said}: {named.rpartition('.')[2]} = {written}", where, "put the real address there")
    age = (dt.datetime.fromtimestamp(project.now, tz=dt.UTC).date() - ownership.reviewed).days
    if not 0 <= age <= REVIEW_DAYS:
        told = f"{age} days ago; {REVIEW_DAYS} are allowed" if age > 0 else "which is still to come"
        yield broken(
            f"the owner last read all this on {ownership.reviewed}, {told}",
            _where(project, "ownership", "reviewed"),
            "read manifests, policy and RUNBOOK.md, then:",
            f"reviewed  = {dt.datetime.fromtimestamp(project.now, tz=dt.UTC).date()}",
        )
    else:
        yield seen(f"reviewed {age} days ago")
    runbook = ownership.runbook.partition("#")[0]
    if not runbook.startswith("https://") and project.text(runbook) is None:
        yield broken(
            f"there is no {runbook}",
            _where(project, "ownership", "runbook"),
            "write it, or name the right file",
        )
    owners = project.text(".github/CODEOWNERS") or project.text("CODEOWNERS") or ""
    if not _owns(ownership.owner, owners):
        yield broken(
            f"CODEOWNERS does not give {ownership.owner} manifests and policy",
            ".github/CODEOWNERS",
            f"*  {ownership.owner}",
        )
    yield seen(f"{ownership.owner} answers for {project.manifests.server.name}")


@registry.check("GOV-04")
def its_end_is_planned(project: Project) -> Iterator[Assertion]:
    """The decommissioning plan is there, and leads to the identity and every issuer to be told."""
    decommission = project.manifests.server.lifecycle.decommission
    path, _, anchor = decommission.partition("#")
    text = project.text(path)
    where = _where(project, "lifecycle", "decommission")
    if text is None:
        yield broken(f"there is no file {path}", where, "write down in the project how it is taken down")
        return
    section = _section(text, anchor)
    if section is None:
        yield broken(f"{path} has no section `{anchor}`", where, f"## {anchor.capitalize()}")
        return
    settings = project.settings
    wanted = [settings.identity.expected_id, *(issuer.issuer for issuer in settings.issuers.values())]
    for each in wanted:
        if each in section or f"config/{project.rehearsed}.toml" in section:
            yield seen(f"the plan leads to {each}")
        else:
            yield broken(f"the plan does not name {each}", f"{path}#{anchor}", f"- remove {each}")


def _owns(owner: str, codeowners: str) -> bool:
    """Whether CODEOWNERS gives this owner everything, or manifests and policy."""
    lines = [line.split("#")[0].split() for line in codeowners.splitlines()]
    owned = {pattern.strip("/") for pattern, *owners in (line for line in lines if line) if owner in owners}
    return "*" in owned or {"manifests", "policy"} <= owned


def _section(text: str, anchor: str) -> str | None:
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line.startswith("#") and line.lstrip("#").strip().lower().replace(" ", "-") == anchor:
            level = len(line) - len(line.lstrip("#"))
            rest = lines[number + 1 :]
            end = next((n for n, each in enumerate(rest) if each.startswith("#" * level + " ")), len(rest))
            return "\n".join(rest[:end])
    return None


def _where(project: Project, *key: str) -> str:
    line = line_of(project.text(SERVER) or "", key)
    return SERVER if line is None else f"{SERVER}:{line}"
