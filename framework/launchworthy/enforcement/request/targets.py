"""Which declared target does a call mean, and with which arguments?

A name is looked up as it stands. A URI belongs to exactly one manifest: a concrete one before a template,
and a template's variables are the arguments.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from launchworthy.enforcement.request.completion import Wanted
from launchworthy.enforcement.request.methods import Row
from launchworthy.enforcement.request.refusals import UnknownResource
from launchworthy.enforcement.request.resource_uri import MAX_URI, UriTemplate
from launchworthy.manifest import TargetKind, TargetManifest
from launchworthy.vocabulary import Reason, Refused

_KINDS = {Row.TOOL: TargetKind.TOOL, Row.RESOURCE: TargetKind.RESOURCE, Row.PROMPT: TargetKind.PROMPT}


class Asked(NamedTuple):
    """What a call asks for.

    Attributes:
        target: the manifest that decides.
        named: the name or the URI, as in the body.
        arguments: as in the body, or a template's variables; unchecked.
        completing: the argument that is to be completed; None where the target itself is called.
    """

    target: TargetManifest
    named: str
    arguments: Mapping[str, object]
    completing: str | None = None


class Targets:
    """All that is declared, ready to be looked up."""

    def __init__(self, declared: Iterable[TargetManifest]) -> None:
        """Index what is declared."""
        self._named: dict[tuple[TargetKind, str], TargetManifest] = {}
        self._concrete: dict[str, TargetManifest] = {}
        self._templates: list[tuple[UriTemplate, TargetManifest]] = []
        for target in declared:
            if target.uri is None:
                self._named[target.key] = target
                continue
            template = UriTemplate.of(target.uri)
            if template.variables:
                self._templates.append((template, target))
            else:
                self._concrete[template.text] = target

    def find(self, row: Row, params: Mapping[str, object]) -> Asked:
        """Look up what a call names.

        Args:
            row: the row of its method: a tool's, a resource's or a prompt's.
            params: its parameters.

        Raises:
            Refused: `protocol.invalid` where nothing is named; `tool.unknown`.
        """
        kind = _KINDS[row]
        if kind is TargetKind.RESOURCE:
            return self._find_resource(params)
        name = params.get("name")
        arguments = params.get("arguments", {})
        if not isinstance(name, str) or not isinstance(arguments, dict):
            raise Refused(Reason.PROTOCOL_INVALID, "no name, or arguments that are no object")
        target = self._named.get((kind, name))
        if target is None:
            raise unknown(kind, name)
        return Asked(target=target, named=name, arguments=arguments)

    def find_completed(self, wanted: Wanted) -> Asked:
        """Look up what an argument is completed of: a prompt by its name, a resource by its template.

        Raises:
            Refused: `tool.unknown`; what offers no completions is nothing that could be named.
        """
        if wanted.kind is TargetKind.PROMPT:
            target = self._named.get((TargetKind.PROMPT, wanted.named))
        else:
            same = (one for template, one in self._templates if template.text == wanted.named)
            target = next(same, None)
        if target is None or not target.completions:
            raise unknown(wanted.kind, wanted.named)
        arguments = {"typed": wanted.typed, "given": wanted.given}
        return Asked(target=target, named=wanted.named, arguments=arguments, completing=wanted.argument)

    def _find_resource(self, params: Mapping[str, object]) -> Asked:
        uri = params.get("uri")
        if not isinstance(uri, str):
            raise Refused(Reason.PROTOCOL_INVALID, "no URI")
        concrete = self._concrete.get(uri)
        if concrete is not None:
            return Asked(target=concrete, named=uri, arguments={})
        if len(uri) <= MAX_URI:
            for template, target in self._templates:
                variables = template.match(uri)
                if variables is not None:
                    return Asked(target=target, named=uri, arguments=variables)
        raise unknown(TargetKind.RESOURCE, uri)


def unknown(kind: TargetKind, named: str) -> Refused:
    """The refusal of a target that is not declared, or not for this caller to know of; the same for both."""
    if kind is TargetKind.RESOURCE:
        return UnknownResource(named)
    return Refused(Reason.TOOL_UNKNOWN, f"no such {kind.value} is declared")
