"""The nouns: principal, scope, reason, decision, secret reference, errors."""

from launchworthy.vocabulary.approval_page import (
    APPROVAL_FOLDER,
    SIGNED_IN,
    resource_origin,
    sign_in_redirect,
)
from launchworthy.vocabulary.approved import Approved
from launchworthy.vocabulary.call_id import CallId, format_call_id, is_call_id
from launchworthy.vocabulary.decision import Decision
from launchworthy.vocabulary.environment import SIMULATED_TRUST_DOMAIN, Environment
from launchworthy.vocabulary.granted import LIFTABLE, Granted, is_liftable
from launchworthy.vocabulary.principal import Principal, PrincipalKind, TokenDigest, tenant_of
from launchworthy.vocabulary.printable import as_number, printable
from launchworthy.vocabulary.problem import (
    EX_CONFIG,
    EX_TEMPFAIL,
    Problem,
    ProblemError,
    StartupRefused,
    render_json,
    render_text,
)
from launchworthy.vocabulary.reason import Reason, WireWord, wire_word
from launchworthy.vocabulary.refusal import Refused, ToolError
from launchworthy.vocabulary.scope import is_scope, parse_scopes, render_scopes
from launchworthy.vocabulary.secret import BearerToken, Secret
from launchworthy.vocabulary.secret_reference import SecretRef, SecretScheme

__all__ = [
    "APPROVAL_FOLDER",
    "EX_CONFIG",
    "EX_TEMPFAIL",
    "LIFTABLE",
    "SIGNED_IN",
    "SIMULATED_TRUST_DOMAIN",
    "Approved",
    "BearerToken",
    "CallId",
    "Decision",
    "Environment",
    "Granted",
    "Principal",
    "PrincipalKind",
    "Problem",
    "ProblemError",
    "Reason",
    "Refused",
    "Secret",
    "SecretRef",
    "SecretScheme",
    "StartupRefused",
    "TokenDigest",
    "ToolError",
    "WireWord",
    "as_number",
    "format_call_id",
    "is_call_id",
    "is_liftable",
    "is_scope",
    "parse_scopes",
    "printable",
    "render_json",
    "render_scopes",
    "render_text",
    "resource_origin",
    "sign_in_redirect",
    "tenant_of",
    "wire_word",
]
