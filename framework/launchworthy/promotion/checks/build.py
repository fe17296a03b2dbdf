"""Build and the gate: are dependencies pinned, does CI hold no more than it needs, is the gate whole?"""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import yaml

from launchworthy.promotion.checks.assertions import broken, seen
from launchworthy.promotion.control import load_catalogue
from launchworthy.promotion.finding import Assertion, NotApplicable
from launchworthy.promotion.project import Project
from launchworthy.promotion.registry import registry, whole_registry

_PINNED = re.compile(r"@[0-9a-f]{40}$")
_WORKFLOWS = ".github/workflows"


@registry.check("SUP-01")
def dependencies_are_pinned(project: Project) -> Iterator[Assertion]:
    """`uv.lock` is there, every package from an index has hashes, and each requirement is in it."""
    text = project.text("uv.lock")
    if text is None:
        yield broken("there is no uv.lock", None, "uv lock, and commit it")
        return
    packages = tomllib.loads(text).get("package", [])
    for package in packages:
        files = [*package.get("wheels", ()), *([package["sdist"]] if "sdist" in package else [])]
        source = package.get("source", {})
        if "registry" in source and not (files and all("hash" in file for file in files)):
            yield broken(f"`{package['name']}` has no hash", "uv.lock", "uv lock, and commit it")
        if "git" in source or "url" in source:
            yield broken(f"`{package['name']}` comes from an address", "uv.lock", "take it from the index")
    locked = {package["name"] for package in packages}
    for requirement in project.toml("pyproject.toml")["project"].get("dependencies", ()):
        name = re.split(r"[^A-Za-z0-9_.-]", requirement)[0].lower().replace("_", "-").replace(".", "-")
        if name not in locked:
            yield broken(f"`{name}` is required and not locked", "uv.lock", "uv lock, and commit it")
    yield seen(f"{len(packages)} packages are locked, with hashes")


@registry.check("SUP-03")
def workflows_hold_no_more_than_they_need(project: Project) -> Iterator[Assertion]:
    """Actions are pinned, nothing is granted at the top, and who signs runs no code of the project."""
    workflows = {path: text for path, text in project.texts() if path.startswith(_WORKFLOWS)}
    if not workflows:
        raise NotApplicable("there are no workflows")
    for path, text in workflows.items():
        try:
            workflow = yaml.safe_load(text)
        except yaml.YAMLError:
            yield broken("this workflow is no YAML", path, "correct it")
            continue
        findings = list(_workflow(path, workflow if isinstance(workflow, dict) else {}))
        yield from findings
        if not findings:
            yield seen(f"{path} is pinned and grants nothing beyond its jobs")


@registry.check("SUP-05")
def the_template_is_known(project: Project) -> Iterator[Assertion]:
    """The answers of the template are committed, so that new controls can arrive."""
    answers = project.text(".copier-answers.yml")
    if answers is None:
        yield broken("there is no .copier-answers.yml", None, "copier update needs it: take it back from git")
        return
    said = yaml.safe_load(answers) or {}
    if "_commit" not in said or "_src_path" not in said:
        yield broken("the answers name no template", ".copier-answers.yml", "take the file back from git")
    else:
        yield seen(f"from template {said['_commit']}")


@registry.check("META-01")
def the_gate_is_whole(project: Project) -> Iterator[Assertion]:
    """Every control of this catalogue has code that decides it, and nothing decides an unknown one."""
    del project
    catalogue, decided = {control.id for control in load_catalogue()}, set(whole_registry().decided())
    for control in sorted(catalogue ^ decided):
        yield broken(
            f"{control} is in the catalogue or decided, and not both", None, "reinstall launchworthy"
        )
    yield seen(f"{len(catalogue)} controls, each with its check")


def _workflow(path: str, workflow: dict[Any, Any]) -> Iterator[Assertion]:
    permissions = workflow.get("permissions", "unset")
    if permissions not in ({}, "read-all") and not _reads_only(permissions):
        yield broken(f"the workflow grants {permissions} to every job", path, "permissions: {}")
    triggers = workflow.get(True, workflow.get("on", {}))  # YAML 1.1 reads `on` as true
    if "pull_request_target" in (triggers if isinstance(triggers, (dict, list)) else [triggers]):
        yield broken("strangers' pull requests run with this project's rights", path, "use pull_request")
    for name, job in (workflow.get("jobs") or {}).items():
        yield from _job(path, name, job if isinstance(job, dict) else {})


def _job(path: str, name: str, job: dict[str, Any]) -> Iterator[Assertion]:
    steps = [step for step in job.get("steps", ()) if isinstance(step, dict)]
    for used in [job.get("uses"), *(step.get("uses") for step in steps)]:
        if isinstance(used, str) and not used.startswith("./") and not _PINNED.search(used):
            yield broken(f"job `{name}` uses {used}, which can change", path, "pin it by commit")
    permissions = job.get("permissions", {})
    signs = permissions == "write-all" or (
        isinstance(permissions, dict) and permissions.get("id-token") == "write"
    )
    checks_out = any("actions/checkout" in str(step.get("uses", "")) for step in steps)
    if signs and checks_out and any("run" in step for step in steps):
        yield broken(
            f"job `{name}` can sign and runs code of the project",
            path,
            "sign in a job of its own, which runs nothing of the project",
        )


def _reads_only(permissions: object) -> bool:
    return isinstance(permissions, dict) and all(value in ("read", "none") for value in permissions.values())
