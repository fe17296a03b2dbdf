"""Build and the gate: are dependencies pinned, does CI hold no more than it needs, is the gate whole?"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from launchworthy.promotion.checks.assertions import broken, seen
from launchworthy.promotion.checks.workflows import workflow_mistakes
from launchworthy.promotion.control import load_catalogue
from launchworthy.promotion.finding import Assertion, NotApplicable
from launchworthy.promotion.project import Project
from launchworthy.promotion.registry import registry, whole_registry

_HASH = re.compile(r"^sha(256|384|512):[0-9a-f]{64,128}$")
_WORKFLOW = re.compile(r"^\.github/workflows/[^/]+\.ya?ml$")
_ACTION = re.compile(r"^(\.github/actions/.+/)?action\.ya?ml$")


@registry.check("SUP-01")
def dependencies_are_pinned(project: Project) -> Iterator[Assertion]:
    """`uv.lock` is there, every package from an index has hashes, and each requirement is in it."""
    text = project.text("uv.lock")
    if text is None:
        yield broken("there is no uv.lock", None, "uv lock, and commit it")
        return
    packages = tomllib.loads(text).get("package", [])
    pyproject = project.toml("pyproject.toml").get("project", {})
    own = _spelt(str(pyproject.get("name", "")))
    for package in packages:
        if package["name"] != own:
            yield from _locked_package(package)
    written: dict[str, frozenset[str]] = {}
    for requirement in pyproject.get("dependencies", ()):
        name, specifiers = _requirement(requirement)
        written[name] = written.get(name, frozenset()) | specifiers
        if name not in {package["name"] for package in packages}:
            yield broken(f"`{name}` is required and not locked", "uv.lock", "uv lock, and commit it")
    yield from _stale(written, next((each for each in packages if each["name"] == own), {}))
    yield seen(f"{len(packages)} packages are locked, with hashes")


@registry.check("SUP-03")
def workflows_hold_no_more_than_they_need(project: Project) -> Iterator[Assertion]:
    """Actions are pinned, nothing is granted at the top, and who signs runs no code of the project."""
    files = {path: text for path, text in project.texts() if _WORKFLOW.match(path) or _ACTION.match(path)}
    if not any(_WORKFLOW.match(path) for path in files):
        raise NotApplicable("there are no workflows")
    for path, text in files.items():
        findings = list(workflow_mistakes(path, text, action=_WORKFLOW.match(path) is None))
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
    said = yaml.safe_load(answers)
    if not isinstance(said, dict) or not {"_commit", "_src_path"} <= said.keys():
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


def _locked_package(package: Mapping[str, Any]) -> Iterator[Assertion]:
    """One package of the lock: from an index or a wheel, with a hash for each of its files."""
    source = package.get("source", {})
    files = [*package.get("wheels", ()), *([package["sdist"]] if "sdist" in package else [])]
    if not {"registry", "path"} & source.keys():
        kind = next(iter(source), "nowhere")
        yield broken(f"`{package['name']}` comes from {kind}, unpinned", "uv.lock", "take it from the index")
    elif not files or not all(_HASH.match(str(file.get("hash", ""))) for file in files):
        yield broken(f"`{package['name']}` has no hash", "uv.lock", "uv lock, and commit it")


def _stale(written: Mapping[str, frozenset[str]], own: Mapping[str, Any]) -> Iterator[Assertion]:
    """Whether the lock was made for other requirements than pyproject.toml has now."""
    locked: dict[str, frozenset[str]] = {}
    elsewhere = set()  # a wheel at a path has no specifier
    for each in own.get("metadata", {}).get("requires-dist", ()):
        if "extra ==" not in each.get("marker", ""):
            name = each["name"]
            locked[name] = locked.get(name, frozenset()) | _specifiers(each.get("specifier", ""))
            elsewhere |= {name} if "path" in each else set()
    for name in sorted(written.keys() | locked.keys()):
        if name not in elsewhere and written.get(name) != locked.get(name):
            yield broken(f"uv.lock was made for another `{name}`", "uv.lock", "uv lock, and commit it")


def _requirement(text: str) -> tuple[str, frozenset[str]]:
    """Name and version specifiers of a requirement as people write it (PEP 508)."""
    before_marker = text.partition(";")[0]
    name = re.split(r"[^A-Za-z0-9_.-]", before_marker.strip())[0]
    rest = re.sub(r"\[[^]]*\]", "", before_marker.strip()[len(name) :])
    return _spelt(name), _specifiers(rest)


def _specifiers(text: str) -> frozenset[str]:
    return frozenset(part for part in text.replace(" ", "").strip("()").split(",") if part)


def _spelt(name: str) -> str:
    """A name as indexes spell it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
