"""What may a workflow do, and whose code does it run? Read as YAML, never as text."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from launchworthy.promotion.checks.assertions import broken
from launchworthy.promotion.finding import Assertion

_PINNED = re.compile(r"@[0-9a-f]{40}$|^docker://[^@]+@sha256:[0-9a-f]{64}$")
_SECRET = re.compile(r"\bsecrets\s*(\.|\[\s*['\"])\s*(?!GITHUB_TOKEN\b)\w", re.IGNORECASE)
_ATTEST = re.compile(r"\blaunchworthy[\w.@=~!<>-]*\s+attest\b")
_QUOTING = re.compile(r"\\\r?\n|['\"]")
"""What a shell takes away before it sees words."""
_PROVENANCE = (
    "actions/attest-build-provenance@",
    "actions/attest@",
    "slsa-framework/slsa-github-generator/",
)
_STRANGERS = ("pull_request_target", "workflow_run")


def workflow_mistakes(path: str, text: str, *, action: bool) -> Iterator[Assertion]:
    """Everything that a workflow, or an action of the project, may not do.

    Args:
        path: of the file.
        text: of the file.
        action: whether it is an action, whose steps run in the job of whoever uses it.
    """
    try:
        read = yaml.safe_load(text)
    except yaml.YAMLError:
        read = None
    if not isinstance(read, dict):
        yield broken("this is no YAML table", path, "correct it")
    elif action:
        yield from _unpinned(path, "this action", _steps(read.get("runs")))
    else:
        yield from _workflow(path, read)


def jobs_that_sign(text: str) -> Iterator[tuple[str, bool]]:
    """Every job of a workflow that runs `launchworthy attest`, and whether somebody must release it.

    Args:
        text: of the workflow; one that is no YAML table has no jobs.
    """
    for name, job in _jobs(text):
        if any(_ATTEST.search(_QUOTING.sub("", str(step.get("run", "")))) for step in _steps(job)):
            environment = job.get("environment")
            named = environment.get("name") if isinstance(environment, dict) else environment
            yield name, bool(named)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestingJob:
    """A job that attests the provenance of a build.

    Attributes:
        name: of the job.
        mistake: what keeps it from attesting this build; None if nothing does.
    """

    name: str
    mistake: str | None


def jobs_that_attest_builds(text: str) -> Iterator[AttestingJob]:
    """Every job of a workflow that makes SLSA provenance, and what is wrong with it.

    Args:
        text: of the workflow; one that is no YAML table has no jobs.
    """
    for name, job in _jobs(text):
        steps = [
            step
            for step in (job, *_steps(job))
            if isinstance(step, dict) and _is_provenance(step.get("uses"))
        ]
        if steps:
            yield AttestingJob(name=name, mistake=_attesting_mistake(job, steps))


def _jobs(text: str) -> Iterator[tuple[str, Any]]:
    """Every job of a workflow with its name; one that is no YAML table has none."""
    try:
        read = yaml.safe_load(text)
    except yaml.YAMLError:
        return
    jobs = read.get("jobs") if isinstance(read, dict) else None
    for name, job in (jobs if isinstance(jobs, dict) else {}).items():
        yield str(name), job


def _is_provenance(used: object) -> bool:
    return isinstance(used, str) and used.startswith(_PROVENANCE)


def _attesting_mistake(job: dict[Any, Any], steps: list[dict[Any, Any]]) -> str | None:
    permissions = job.get("permissions")
    if not job.get("needs"):
        return "attests a build and waits for none: it has no `needs`"
    if not isinstance(permissions, dict) or permissions.get("id-token") != "write":
        return "attests a build and has no identity to sign with: `id-token: write`"
    if any("subject-" not in json.dumps(step.get("with", {})) for step in steps if step is not job):
        return "attests a build and names nothing that was built: `subject-path`"
    return None


def _workflow(path: str, workflow: dict[Any, Any]) -> Iterator[Assertion]:
    permissions = workflow.get("permissions", "everything that the repository allows")
    if permissions != "read-all" and not _reads_only(permissions):
        yield broken(f"the workflow grants {_shown(permissions)} to every job", path, "permissions: {}")
    triggers = workflow.get(True, workflow.get("on", {}))  # YAML 1.1 reads `on` as true
    for trigger in _STRANGERS:
        if trigger in (triggers if isinstance(triggers, (dict, list)) else [triggers]):
            yield broken(
                f"strangers' changes run with this project's rights ({trigger})", path, "on: pull_request"
            )
    for name, job in (workflow.get("jobs") or {}).items():
        yield from _job(path, f"job `{name}`", job if isinstance(job, dict) else {}, permissions)


def _job(path: str, name: str, job: dict[Any, Any], inherited: object) -> Iterator[Assertion]:
    steps = _steps(job)
    yield from _unpinned(path, name, [job, *steps])
    permissions = job.get("permissions", inherited)
    if permissions == "write-all":
        yield broken(f"{name} may write everything", path, "grant what it needs, one by one")
    runs_project = any("actions/checkout" in str(step.get("uses", "")) for step in steps) and any(
        "run" in step or str(step.get("uses", "")).startswith("./") for step in steps
    )
    signs = isinstance(permissions, dict) and permissions.get("id-token") == "write"
    if runs_project and signs:
        yield broken(
            f"{name} can sign and runs code of the project",
            path,
            "sign in a job of its own, which runs nothing of the project",
        )
    if runs_project and _SECRET.search(json.dumps(job, default=str)):
        yield broken(
            f"{name} holds a secret and runs code of the project",
            path,
            "use it in a job of its own, which runs nothing of the project",
        )


def _steps(holder: object) -> list[dict[Any, Any]]:
    steps = holder.get("steps") if isinstance(holder, dict) else None
    return [step for step in steps or () if isinstance(step, dict)]


def _unpinned(path: str, name: str, users: list[dict[Any, Any]]) -> Iterator[Assertion]:
    for used in (user.get("uses") for user in users):
        if isinstance(used, str) and not used.startswith("./") and not _PINNED.search(used):
            yield broken(f"{name} uses {used}, which can change", path, "pin it by its full commit")


def _reads_only(permissions: object) -> bool:
    return isinstance(permissions, dict) and all(value in {"read", "none"} for value in permissions.values())


def _shown(permissions: object) -> str:
    return json.dumps(permissions) if isinstance(permissions, dict) else str(permissions)
