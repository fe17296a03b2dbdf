"""Can what runs do no more than it must? Files are read, and the container shows itself."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError

from launchworthy.promotion.checks.assertions import broken, seen
from launchworthy.promotion.checks.deployment import (
    ContainerFile,
    Document,
    Instruction,
    container_files,
    documents,
    inner,
    listed,
    tables,
)
from launchworthy.promotion.evidence.container import ContainerEvidence
from launchworthy.promotion.evidence.pieces import how_to_show, not_of_now, pieces
from launchworthy.promotion.finding import Assertion
from launchworthy.promotion.project import Project
from launchworthy.promotion.registry import registry
from launchworthy.vocabulary import Environment

_DAYS: Final = 30
_FILE: Final = "docs/evidence/container.json"
_SWITCHES: Final = frozenset({"sudo", "gosu", "su-exec", "su", "doas", "runuser", "setpriv", "pkexec"})
_IN_A_SCRIPT = re.compile(
    r"(?m)^(?:[^#\n]*(?:;|&&|\|\||\bexec|\bthen|\bdo|\belse)\s+|[ \t]*)(?:[\w./-]*/)?"
    r"(sudo|gosu|su-exec|doas|runuser|pkexec|setpriv|su)\s+\S"
)
_SETUID = re.compile(r"\bchmod\s+(?:-\w+\s+)*(?:[ugoa]*\+[rwx]*s|[2467][0-7]{3})\b")
_INSTALLED = re.compile(r"\b(?:install|add)\b[^&|;]*?\b(sudo|gosu|su-exec|doas)\b")
_MAY_ADD: Final = frozenset({"NET_BIND_SERVICE"})
_SAFE: Final = {
    "runAsNonRoot": True,
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
}
_HOST: Final = ("hostNetwork", "hostPID", "hostIPC")


@registry.check("SUP-04")
def it_can_do_no_more_than_it_must(project: Project) -> Iterator[Assertion]:
    """Not root, no way to become it, nothing to write to, no capability, limits; the container shows it."""
    for file in container_files(project):
        yield from _container_file(project, file)
    for document in documents(project):
        if isinstance(document, str):
            yield broken(
                f"{document} is no YAML by itself", document, "keep what is rendered out of the tree"
            )
            continue
        for table in tables(document.content):
            if listed(table, "containers"):
                yield from _pod(document, table)
    yield from _shown(project)


def _container_file(project: Project, file: ContainerFile) -> Iterator[Assertion]:
    users = [each for each in file.final if each.word == "USER"]
    user = users[-1].text.partition(":")[0].strip() if users else None
    where = f"{file.path}:{users[-1].line}" if users else file.path
    if user is None or user in {"root", "0"} or "$" in user:
        what = "nobody says as whom" if user is None else f"`USER {users[-1].text}`"
        yield broken(f"what {file.path} makes runs as root, or may: {what}", where, "USER 65532:65532")
    else:
        yield seen(f"what {file.path} makes runs as {users[-1].text}")
    for each in file.final:
        yield from (_told(file, each, what) for what in _ways_up(project, each))


def _ways_up(project: Project, each: Instruction) -> Iterator[str]:
    """How an instruction lets a process become somebody else."""
    if each.word in {"ENTRYPOINT", "CMD"}:
        words = [word.rpartition("/")[2] for part in each.words for word in part.split()]
        yield from (f"it starts through `{word}`" for word in words if word in _SWITCHES)
        yield from _scripts(project, each)
    if each.word == "RUN":
        if (found := _INSTALLED.search(each.text)) is not None:
            yield f"it holds `{found[1]}`"
        if _SETUID.search(each.text):
            yield "it makes a program that runs as somebody else"


def _scripts(project: Project, each: Instruction) -> Iterator[str]:
    """What a script of the project that is started does."""
    names = {word.rpartition("/")[2] for word in each.words if not word.startswith("-")}
    for path, text in project.texts():
        started = path.rpartition("/")[2] in names and text.startswith("#!")
        if started and (found := _IN_A_SCRIPT.search(text)) is not None:
            yield f"it starts {path}, which uses `{found[1]}`"


def _told(file: ContainerFile, each: Instruction, what: str) -> Assertion:
    return broken(
        f"what {file.path} makes can become somebody else: {what}",
        f"{file.path}:{each.line}",
        "start the server itself, as the user that it keeps",
    )


def _pod(document: Document, pod: Mapping[str, Any]) -> Iterator[Assertion]:
    """A pod, or what a patch says of one: a patch names no image, and is asked only for what it says."""
    for shared in _HOST:
        if pod.get(shared) is True:
            yield _open(document, f"it shares the machine's own: {shared}", f"{shared}: false")
    for volume in listed(pod, "volumes"):
        if "hostPath" in volume:
            yield _open(document, f"it mounts a folder of the machine: {volume.get('name')}", "take it out")
    for container in (*listed(pod, "initContainers"), *listed(pod, "containers")):
        yield from _container(document, inner(pod, "securityContext"), container)


def _container(
    document: Document, around: Mapping[str, Any], container: Mapping[str, Any]
) -> Iterator[Assertion]:
    found = [*_says_too_much(around, container)]
    if "image" in container:
        found += _says_too_little(around, container)
    for what, fix in found:
        yield _open(document, f"container `{container.get('name')}`: {what}", fix)
    if not found:
        yield seen(f"container `{container.get('name')}` of {document.called} is confined")


def _says_too_much(around: Mapping[str, Any], container: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    own = inner(container, "securityContext")
    if own.get("privileged") is True:
        yield "it is privileged", "privileged: false"
    if own.get("runAsUser", around.get("runAsUser")) == 0:
        yield "it runs as root", "runAsUser: 65532"
    for name, safe in _SAFE.items():
        if name in own and own[name] is not safe:
            yield f"it says `{name}: {str(own[name]).lower()}`", f"{name}: {str(safe).lower()}"
    added = inner(own, "capabilities").get("add") or ()
    for capability in added:
        if str(capability).removeprefix("CAP_") not in _MAY_ADD:
            yield f"it gets the capability {capability}", "take it out of capabilities.add"


def _says_too_little(around: Mapping[str, Any], container: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    own = inner(container, "securityContext")
    if own.get("runAsNonRoot", around.get("runAsNonRoot")) is not True:
        yield "nothing keeps it from running as root", "runAsNonRoot: true"
    if "allowPrivilegeEscalation" not in own:
        yield "it may gain privileges", "allowPrivilegeEscalation: false"
    if "readOnlyRootFilesystem" not in own:
        yield "its file system can be written", "readOnlyRootFilesystem: true"
    dropped = {str(each).upper() for each in inner(own, "capabilities").get("drop") or ()}
    if "ALL" not in dropped:
        yield "it keeps capabilities", "capabilities: {drop: [ALL]}"
    profile = inner(own, "seccompProfile") or inner(around, "seccompProfile")
    if profile.get("type") not in {"RuntimeDefault", "Localhost"}:
        yield "it may make any system call", "seccompProfile: {type: RuntimeDefault}"
    if "memory" not in inner(inner(container, "resources"), "limits"):
        yield "its memory has no limit", "resources: {limits: {memory: 512Mi}}"


def _open(document: Document, what: str, fix: str) -> Assertion:
    return broken(f"{document.called}: {what}", document.path, fix)


def _shown(project: Project) -> Iterator[Assertion]:
    """What the container that the release job started says of itself, in an approved file."""
    counted = False
    for piece in pieces(project, "SUP-04"):
        try:
            said = ContainerEvidence.model_validate_json(piece.content)
        except ValidationError:
            mistakes = ["it is not what a container says of itself"]
        else:
            mistakes = [*_of_another(project, said), *said.mistakes()]
        for each in mistakes:
            yield broken(f"{piece.table.file}: {each}", piece.where, *_how(project))
        if not mistakes and piece.approved_by is not None:
            counted = True
            yield seen(f"the container is confined, by its kernel's word; approved by {piece.approved_by}")
    if project.environment is Environment.REHEARSAL:
        yield seen("a wheel for rehearsals runs in no container, so none is asked")
    elif not counted:
        what = "no approved evidence says how the container runs"
        yield broken(what, "promotion.toml", *_how(project))


def _of_another(project: Project, said: ContainerEvidence) -> Iterator[str]:
    yield from not_of_now(project, server=said.server, made_at=said.made_at, days=_DAYS)
    if said.environment != project.rehearsed.value:
        yield f"it is of {said.environment}"


def _how(project: Project) -> tuple[str, ...]:
    return (
        "in the container, started as in production (docs/guides/evidence.md of launchworthy):",
        f"launchworthy evidence container --environment production > {_FILE}",
        *how_to_show(project, "SUP-04", "how the container runs, as its kernel says", _FILE, days=_DAYS),
    )
