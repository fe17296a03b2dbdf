"""What does the project say of where it runs? Its container files and its Kubernetes manifests, parsed.

Nothing is rendered: what a template engine would make of a file is its own, and a file that is no YAML by
itself is told as one. A patch of kustomize, which says only what it changes, is not asked for the rest.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from launchworthy.promotion.project import Project

_CONTAINER_FILE = re.compile(r"(^|/)((Dockerfile|Containerfile)(\.[A-Za-z0-9_-]+)?|[^/]+\.[Dd]ockerfile)$")
_YAML = re.compile(r"\.ya?ml$")
_KIND = re.compile(r"^kind:\s*\S", re.MULTILINE)
_API = re.compile(r"^apiVersion:\s*\S", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One instruction of a container file.

    Attributes:
        word: in capitals: `USER`.
        text: what follows it, on one line.
        line: where it begins.
    """

    word: str
    text: str
    line: int

    @property
    def words(self) -> tuple[str, ...]:
        """What follows it, in its JSON form where it has one, else split at spaces."""
        try:
            said = json.loads(self.text)
        except ValueError:
            return tuple(self.text.split())
        return tuple(str(each) for each in said) if isinstance(said, list) else tuple(self.text.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerFile:
    """A container file.

    Attributes:
        path: below the project.
        final: the instructions of what is shipped: its last stage, behind the stages that it is made from.
    """

    path: str
    final: tuple[Instruction, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document of a Kubernetes manifest.

    Attributes:
        path: of its file, below the project.
        kind: `Deployment`.
        name: of its metadata; empty where there is none.
        content: all of it.
    """

    path: str
    kind: str
    name: str
    content: Mapping[str, Any]

    @property
    def called(self) -> str:
        """For people: `Deployment orders`."""
        return f"{self.kind} {self.name}".strip()


def container_files(project: Project) -> tuple[ContainerFile, ...]:
    """Every container file of the project."""
    return tuple(
        ContainerFile(path=path, final=_final(tuple(_instructions(text))))
        for path, text in project.texts()
        if _CONTAINER_FILE.search(path)
    )


def documents(project: Project) -> Iterator[Document | str]:
    """Every Kubernetes document of the project; the path of a file that is none by itself."""
    for path, text in project.texts():
        if not _YAML.search(path) or not _KIND.search(text) or not _API.search(text):
            continue
        try:
            found = list(yaml.load_all(text, Loader=_LOADER))
        except yaml.YAMLError:
            yield path
            continue
        for each in found:
            if isinstance(each, dict) and isinstance(each.get("kind"), str):
                metadata = each.get("metadata")
                name = metadata.get("name", "") if isinstance(metadata, dict) else ""
                yield Document(path=path, kind=each["kind"], name=str(name), content=each)


def tables(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every table in a document, the outer before the inner."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from tables(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from tables(inner)


def listed(table: Mapping[str, Any], name: str) -> tuple[Mapping[str, Any], ...]:
    """The tables of a list in a table; none where there is no such list."""
    value = table.get(name)
    return tuple(each for each in value if isinstance(each, dict)) if isinstance(value, list) else ()


def inner(table: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A table in a table; empty where there is none."""
    value = table.get(name)
    return value if isinstance(value, dict) else {}


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _instructions(text: str) -> Iterator[Instruction]:
    began, joined = 0, ""
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        began = began or number
        joined += " " + stripped.removesuffix("\\").strip()
        if stripped.endswith("\\"):
            continue
        word, _, rest = joined.strip().partition(" ")
        yield Instruction(word=word.upper(), text=rest.strip(), line=began)
        began, joined = 0, ""


def _final(instructions: tuple[Instruction, ...]) -> tuple[Instruction, ...]:
    """What makes up the last stage: its own instructions, behind those of a stage that it starts from."""
    stages: list[tuple[Instruction, ...]] = []
    named: dict[str, int] = {}
    for each in instructions:
        if each.word == "FROM":
            words = [word for word in each.text.split() if not word.startswith("--")]
            base = stages[named[words[0]]] if words and words[0] in named else ()
            stages.append((*base, each))
            if len(words) > 2 and words[1].upper() == "AS":  # noqa: PLR2004 - image AS name
                named[words[2]] = len(stages) - 1
        elif stages:
            stages[-1] = (*stages[-1], each)
    return stages[-1] if stages else ()
