"""Does the code serve exactly what the manifests declare? Both ways, or it does not start."""

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from launchworthy.manifest.completers import completer_problems
from launchworthy.manifest.manifests import Manifests
from launchworthy.manifest.marks import Mark
from launchworthy.manifest.mistakes import SourceFile
from launchworthy.manifest.target import TargetKind, TargetManifest
from launchworthy.manifest.template import variables
from launchworthy.vocabulary import Problem, ProblemError

_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A function and its promise."""

    mark: Mark
    manifest: TargetManifest


def match(manifests: Manifests, marks: Sequence[Mark]) -> tuple[Served, ...]:
    """Bring every marked function together with its manifest, in the order of the code.

    Raises:
        ProblemError: everything that does not fit: `tool-without-manifest` (with the table to paste),
            `manifest-without-tool`, `unknown-argument`, `uri-arguments`, `policy-input-optional`,
            `completion-without-manifest`, `manifest-without-completion` and what is wrong with a completion.
    """
    by_key = {(mark.kind, mark.name): mark for mark in marks}
    problems: list[Problem] = []
    served = []
    for key, mark in by_key.items():
        target = manifests.targets.get(key)
        if target is None:
            problems.append(_without_manifest(mark))
        else:
            problems += _arguments(mark, target, manifests)
            served.append(Served(mark=mark, manifest=target))
    undeclared = [mark for key, mark in by_key.items() if key not in manifests.targets]
    for key, target in manifests.targets.items():
        if key not in by_key:
            problems.append(_without_function(target, undeclared))
    if problems:
        raise ProblemError(*problems)
    return tuple(served)


def _without_manifest(mark: Mark) -> Problem:
    return Problem(
        reason="tool-without-manifest",
        where=mark.where,
        what=f"defines the {mark.kind} `{mark.name}`, and no manifest declares it",
        fix=("add to manifests/tools.toml, with the scope that it needs:", *_table(mark)),
        field=f"{mark.kind}s.{mark.name}",
    )


def _table(mark: Mark) -> Iterator[str]:
    """The lines to paste."""
    required = [given.name for given in mark.parameters if given.default is given.empty]
    yield f"  [{mark.kind}s.{mark.name}]"
    if mark.kind is TargetKind.TOOL:
        yield '  effect  = "read"          # read | write | destructive: say what it does'
    if mark.kind is TargetKind.RESOURCE:
        path = "/".join((mark.name, *(f"{{{given.name}}}" for given in mark.parameters)))
        yield f'  uri     = "…://{path}"    # its variables are the function\'s arguments'
    yield '  scopes  = ["…"]           # who may call it'
    if required:
        yield f"  example = {{ {', '.join(f'{name} = …' for name in required)} }}"


def _without_function(target: TargetManifest, undeclared: Sequence[Mark]) -> Problem:
    names = [mark.name for mark in undeclared if mark.kind is target.kind]
    close = get_close_matches(target.name, names, n=1, cutoff=0.8)
    meant = f"; did you mean `{close[0]}`?" if close else ""
    return Problem(
        reason="manifest-without-tool",
        where=target.where,
        what=f"declares the {target.kind} `{target.name}`, and no code defines it{meant}",
        fix=(f"mark a function of this name with @{target.kind}, or take the table out",),
        field=f"{target.kind}s.{target.name}",
    )


def _arguments(mark: Mark, target: TargetManifest, manifests: Manifests) -> Iterator[Problem]:
    path, _, _ = target.where.rpartition(":")
    source = SourceFile(path=path, text=manifests.files[path].decode(), topic="tools")
    key = (f"{target.kind}s", target.name)
    parameters = {given.name: given for given in mark.parameters}
    for field, name in _named_arguments(target):
        if name not in parameters:
            yield source.problem(
                "unknown-argument",
                (*key, *field.split(".")),
                f"names `{name}` in `{field.partition('.')[0]}` of [{'.'.join(key)}], "
                f"and {mark.where} has no such argument",
                _meant(name, parameters),
            )
    for known in target.inputs:
        given = parameters.get(known.name)
        if given is not None and given.default is None and not known.optional:
            yield source.problem(
                "policy-input-optional",
                (*key, "policy_inputs"),
                f"shows `{known.name}` to policy as always there, and {mark.where} lets it be None",
                f'write "{known.name}?" and let rules ask `context.arguments has {known.name}` first',
            )
    yield from _uri(mark, target, source, key)
    yield from _completions(mark, target, source, key)


def _uri(mark: Mark, target: TargetManifest, source: SourceFile, key: tuple[str, ...]) -> Iterator[Problem]:
    if target.uri is None:
        return
    taken = {given.name for given in mark.parameters if given.kind not in _VARIADIC}
    if taken != set(variables(target.uri)) or len(taken) != len(mark.parameters):
        told = ", ".join(f"`{name}`" for name in sorted(taken)) or "none"
        yield source.problem(
            "uri-arguments",
            (*key, "uri"),
            f"gives [{'.'.join(key)}] the uri `{target.uri}`, and the arguments of {mark.where} are: {told}",
            "name each argument once in the uri, and nothing else",
        )


def _completions(
    mark: Mark, target: TargetManifest, source: SourceFile, key: tuple[str, ...]
) -> Iterator[Problem]:
    yield from completer_problems(mark.name, [given.name for given in mark.parameters], mark.completers)
    if mark.completers and not target.completions:
        table = f"[{'.'.join(key)}]"
        yield Problem(
            reason="completion-without-manifest",
            where=mark.completers[0].where,
            what=f"completes an argument of the {mark.kind} `{mark.name}`, and {table} does not offer that",
            fix=(f"add `completions = true` to {table}, or take the function out",)
            if target.kind is not TargetKind.TOOL
            else ("take it out: only arguments of prompts and resources can be completed",),
        )
    if target.completions and not mark.completers:
        yield source.problem(
            "manifest-without-completion",
            (*key, "completions"),
            f"offers completions of [{'.'.join(key)}], and no code makes them",
            f'mark a function with @completion({mark.name}, "…"), or take `completions` out',
        )


def _named_arguments(target: TargetManifest) -> Iterator[tuple[str, str]]:
    yield from ((f"arguments.{name}", name) for name in target.arguments)
    yield from (("policy_inputs", name) for name in target.policy_inputs)
    yield from ((f"example.{name}", name) for name in target.example or ())
    yield from (("acts_on", name) for name in variables(target.acts_on or ""))


def _meant(name: str, known: dict[str, inspect.Parameter]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"did you mean `{close[0]}`?" if close else "correct it, or take it out"
