"""What does each tool need and risk, and who owns it? (no I/O, no SDK)."""

from launchworthy.manifest.approval import (
    BY_FORM,
    BY_PAGE,
    ApprovalMode,
    ApprovalRule,
    ApproverClaim,
    approval_rule,
)
from launchworthy.manifest.completers import Completer, completion
from launchworthy.manifest.duration import parse_duration
from launchworthy.manifest.egress import Destination, read_destination
from launchworthy.manifest.fields import Line, Name, Scope, Table, Unique
from launchworthy.manifest.hidden import HiddenCharacter, find_hidden
from launchworthy.manifest.loading import load_manifests
from launchworthy.manifest.lock import describe
from launchworthy.manifest.manifests import EXAMPLE_TENANT, Manifests
from launchworthy.manifest.marks import Mark, Server, mark_of, prompt, resource, tool
from launchworthy.manifest.matching import Served, match
from launchworthy.manifest.mistakes import SourceFile, mistakes
from launchworthy.manifest.placeholder import PLACEHOLDER_SUFFIX, is_placeholder, placeholders
from launchworthy.manifest.positions import line_of
from launchworthy.manifest.rate import RATE_PATTERN, Rate, parse_rate
from launchworthy.manifest.reading import hidden_characters, read_toml
from launchworthy.manifest.schemas import json_schemas
from launchworthy.manifest.scopes import implied_scopes, missing_scopes
from launchworthy.manifest.server_manifest import Classification, ServerManifest
from launchworthy.manifest.target import (
    ArgumentClass,
    CredentialAllowance,
    Effect,
    InputType,
    PolicyInput,
    TargetKey,
    TargetKind,
    TargetManifest,
    Visibility,
)
from launchworthy.manifest.tool import ToolTable

__all__ = [
    "BY_FORM",
    "BY_PAGE",
    "EXAMPLE_TENANT",
    "PLACEHOLDER_SUFFIX",
    "RATE_PATTERN",
    "ApprovalMode",
    "ApprovalRule",
    "ApproverClaim",
    "ArgumentClass",
    "Classification",
    "Completer",
    "CredentialAllowance",
    "Destination",
    "Effect",
    "HiddenCharacter",
    "InputType",
    "Line",
    "Manifests",
    "Mark",
    "Name",
    "PolicyInput",
    "Rate",
    "Scope",
    "Served",
    "Server",
    "ServerManifest",
    "SourceFile",
    "Table",
    "TargetKey",
    "TargetKind",
    "TargetManifest",
    "ToolTable",
    "Unique",
    "Visibility",
    "approval_rule",
    "completion",
    "describe",
    "find_hidden",
    "hidden_characters",
    "implied_scopes",
    "is_placeholder",
    "json_schemas",
    "line_of",
    "load_manifests",
    "mark_of",
    "match",
    "missing_scopes",
    "mistakes",
    "parse_duration",
    "parse_rate",
    "placeholders",
    "prompt",
    "read_destination",
    "read_toml",
    "resource",
    "tool",
]
