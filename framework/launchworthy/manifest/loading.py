"""What do the manifests of a project say? Bytes in; `Manifests`, or every problem at once, out."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from launchworthy.manifest.approval import ApprovalRule, approval_rule
from launchworthy.manifest.checks import check_server, check_table, check_uris
from launchworthy.manifest.duration import parse_duration
from launchworthy.manifest.egress import read_destination
from launchworthy.manifest.fields import TIMEOUT_SECONDS
from launchworthy.manifest.manifests import Manifests
from launchworthy.manifest.mistakes import SourceFile, mistakes
from launchworthy.manifest.policy_input import policy_inputs
from launchworthy.manifest.rate import parse_rate
from launchworthy.manifest.reading import read_toml
from launchworthy.manifest.server_manifest import ServerManifest
from launchworthy.manifest.target import CredentialAllowance, Effect, TargetKey, TargetKind, TargetManifest
from launchworthy.manifest.tool import PromptTable, ResourceTable, TargetsFile, TargetTable, ToolTable
from launchworthy.vocabulary import Environment, Problem, ProblemError

T = TypeVar("T", bound=BaseModel)
SERVER_FILE = "server.toml"
_KINDS = {f"{kind}s": kind for kind in TargetKind}


def load_manifests(files: Mapping[str, bytes]) -> Manifests:
    """Read `manifests/server.toml` and every other `manifests/*.toml`.

    Args:
        files: path below the project → content.

    Raises:
        ProblemError: every problem of every file, each with its line.
    """
    loading = _Loading()
    for path in sorted(files):
        loading.read(path, files[path])
    return loading.finish(files)


class _Loading:
    """Collects what is understood and what is wrong, so that all of it is told together."""

    def __init__(self) -> None:
        self._problems: list[Problem] = []
        self._server: tuple[ServerManifest, SourceFile] | None = None
        self._targets: dict[TargetKey, TargetManifest] = {}
        self._said: dict[str, dict[str, Any]] = {}

    def read(self, path: str, content: bytes) -> None:
        is_server = path.rpartition("/")[2] == SERVER_FILE
        try:
            source, data = read_toml(path, content, topic="server" if is_server else "tools")
        except ProblemError as error:
            self._problems += error.problems
            return
        if is_server:
            server = self._validated(ServerManifest, data, source)
            self._server = None if server is None else (server, source)
            self._said["server"] = data
        else:
            self._read_targets(source, data)

    def finish(self, files: Mapping[str, bytes]) -> Manifests:
        if not any(path.rpartition("/")[2] == SERVER_FILE for path in files):
            self._problems.append(
                Problem(
                    reason="manifest-missing",
                    where=f"manifests/{SERVER_FILE}",
                    what="is not there, and nothing says who answers for this server",
                    fix=("add it; all fields: launchworthy explain server",),
                )
            )
        if self._server is None or self._problems:
            raise ProblemError(*self._problems)
        if problems := tuple(self._together(*self._server)):
            raise ProblemError(*problems)
        return Manifests(
            server=self._server[0],
            targets=MappingProxyType(self._targets),
            digest=hashlib.sha256(_canonical(self._said)).hexdigest(),
            files=MappingProxyType(dict(files)),
        )

    def _together(self, server: ServerManifest, source: SourceFile) -> Iterator[Problem]:
        targets = tuple(self._targets.values())
        if not targets:
            yield Problem(
                reason="manifest-missing",
                where="manifests/",
                what="declares no tool, resource or prompt, and what is not declared is not served",
                fix=("add manifests/tools.toml; all fields: launchworthy explain tools",),
            )
            return
        yield from check_uris(targets)
        yield from check_server(server, targets, source)

    def _read_targets(self, source: SourceFile, data: dict[str, Any]) -> None:
        for section, tables in data.items():
            if section not in _KINDS or not isinstance(tables, dict):
                # the closed model of the whole file tells what is wrong with this section
                self._validated(TargetsFile, {section: tables}, source)
                continue
            for name, table in tables.items():
                self._read_target(source, section, name, table)

    def _read_target(self, source: SourceFile, section: str, name: str, data: Any) -> None:
        key = (section, name)
        named = self._validated(TargetsFile, {section: {name: data}}, source)
        if named is None:
            return
        table: TargetTable = getattr(named, section)[name]
        self._problems += check_table(table, key, source)
        target = _target(_KINDS[section], name, table, source.where(key))
        if (before := self._targets.setdefault(target.key, target)) is not target:
            self._problems.append(
                source.problem(
                    "duplicate-name",
                    key,
                    f"declares `{name}` again: {before.where} has it",
                    "keep one of them",
                )
            )
        self._said.setdefault(section, {})[name] = data

    def _validated(self, model: type[T], data: Any, source: SourceFile) -> T | None:
        """Validate as JSON: strict Python mode refuses every date, tuple and enum that TOML cannot write."""
        try:
            return model.model_validate_json(json.dumps(data))
        except ValidationError as error:
            self._problems += mistakes(error, model, source)
            return None


def _target(kind: TargetKind, name: str, table: TargetTable, where: str) -> TargetManifest:
    tool_table = table if isinstance(table, ToolTable) else None
    return TargetManifest(
        kind=kind,
        name=name,
        scopes=table.scopes,
        effect=tool_table.effect if tool_table is not None else Effect.READ,
        environments=None
        if table.environments is None
        else frozenset(Environment(environment) for environment in table.environments),
        arguments=MappingProxyType(table.arguments),
        clear_reason=table.clear_reason,
        inputs=policy_inputs(table),
        tenant_argument=table.tenant_argument,
        acts_on=None if tool_table is None else tool_table.acts_on,
        example=None if table.example is None else MappingProxyType(table.example),
        rehearse=tool_table is not None and tool_table.rehearse,
        approval=None if tool_table is None else _approval(tool_table),
        approval_reason=None if tool_table is None else tool_table.approval_reason,
        timeout_seconds=TIMEOUT_SECONDS if table.timeout is None else parse_duration(table.timeout),
        credentials=MappingProxyType(
            {
                credential: CredentialAllowance(scopes=allowed.scopes, ttl=int(parse_duration(allowed.ttl)))
                for credential, allowed in table.credentials.items()
            }
        ),
        egress=tuple(sorted(map(read_destination, table.egress))),
        rate=None if table.rate is None else parse_rate(table.rate),
        concurrency=table.concurrency,
        visibility=table.visibility,
        uri=table.uri if isinstance(table, ResourceTable) else None,
        completions=isinstance(table, ResourceTable | PromptTable) and table.completions,
        where=where,
    )


def _approval(table: ToolTable) -> ApprovalRule | None:
    return approval_rule(table.approval, destructive=table.effect is Effect.DESTRUCTIVE)


def _canonical(said: dict[str, dict[str, Any]]) -> bytes:
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
