"""Given who, what and the context: allow or deny, and why? (no I/O; Cedar decides)."""

from launchworthy.policy.cached import CachedPolicy
from launchworthy.policy.case_file import Case, load_cases
from launchworthy.policy.cases import CaseResult, run_cases, uncovered
from launchworthy.policy.compiled import CompiledPolicy
from launchworthy.policy.compiler import compile_policy
from launchworthy.policy.explain import explain
from launchworthy.policy.obligation import ApprovalNeeded
from launchworthy.policy.query import Query
from launchworthy.policy.rule import Rule
from launchworthy.policy.slice import rule_that_asks

__all__ = [
    "ApprovalNeeded",
    "CachedPolicy",
    "Case",
    "CaseResult",
    "CompiledPolicy",
    "Query",
    "Rule",
    "compile_policy",
    "explain",
    "load_cases",
    "rule_that_asks",
    "run_cases",
    "uncovered",
]
