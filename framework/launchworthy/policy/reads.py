"""What does a rule look at? The read set: a decision depends on nothing else.

The walk knows every node of Cedar's syntax tree by name. One that it does not know (a later Cedar's) makes
the read set incomplete, and then everything is given to the rule and no decision is kept.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from cedarpy import pst

from launchworthy.policy.attributes import Path

_PURE = frozenset(
    {
        "not", "neg", "is_empty", "datetime", "decimal", "duration", "ip", "is_ipv4", "is_ipv6",
        "is_loopback", "is_multicast", "to_date", "to_time", "to_milliseconds", "to_seconds",
        "to_minutes", "to_hours", "to_days", "eq", "not_eq", "less", "less_eq", "greater", "greater_eq",
        "and", "or", "add", "sub", "mul", "in", "contains", "contains_all", "contains_any",
        "is_in_range", "offset", "duration_since", "decimal_less_than", "decimal_less_eq",
        "decimal_greater", "decimal_greater_eq",
    }
)  # fmt: skip
"""Operators whose result depends on their operands alone; those of tags are not among them: we have none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSet:
    """What some rules look at.

    Attributes:
        context: paths below `context`; a path stands for everything below it.
        principal: whether who calls makes a difference.
        principal_attributes: the attributes of the principal that are named.
        resource_attributes: the attributes of the target that are named.
        other_targets: whether a rule names a target other than by the variable `resource`.
        complete: whether the walk knew every node.
    """

    context: frozenset[Path] = frozenset()
    principal: bool = False
    principal_attributes: frozenset[str] = frozenset()
    resource_attributes: frozenset[str] = frozenset()
    other_targets: bool = False
    complete: bool = True

    def covers(self, path: Path) -> bool:
        """Whether this leaf of the context is looked at."""
        return any(path[: len(read)] == read[: len(path)] for read in self.context) or not self.complete


def reads_of(rules: Iterable[pst.Template]) -> ReadSet:
    """Walk over the scopes and conditions of rules."""
    walk = _Walk()
    for rule in rules:
        walk.rule(rule)
    return ReadSet(
        context=frozenset(walk.context),
        principal=walk.principal or not walk.complete,
        principal_attributes=frozenset(walk.principal_attributes),
        resource_attributes=frozenset(walk.resource_attributes),
        other_targets=walk.other_targets or not walk.complete,
        complete=walk.complete,
    )


@dataclass(slots=True)
class _Walk:
    context: set[Path] = field(default_factory=set)
    principal: bool = False
    principal_attributes: set[str] = field(default_factory=set)
    resource_attributes: set[str] = field(default_factory=set)
    other_targets: bool = False
    complete: bool = True

    def rule(self, rule: pst.Template) -> None:
        self.scope_of_principal(rule.principal)
        for clause in rule.clauses:
            self.clause(clause)

    # what follows takes any object: that a match is exhaustive today is Cedar's of today

    def scope_of_principal(self, scope: object) -> None:
        match scope:
            case pst.ScopeAny() | pst.ScopeIs():
                pass  # there is one type of principal
            case pst.ScopeEq() | pst.ScopeIn() | pst.ScopeIsIn():
                self.principal = True
            case _:
                self.complete = False

    def clause(self, clause: object) -> None:
        match clause:
            case pst.When(expression) | pst.Unless(expression):
                self.expression(expression)
            case _:
                self.complete = False

    def expression(self, expression: object) -> None:
        match expression:
            case pst.BoolLit() | pst.LongLit() | pst.StringLit():
                pass
            case pst.Var(name):
                self.variable(name, ())
            case pst.EntityLit(uid):
                self.entity(uid)
            case pst.GetAttr(base, attribute):
                self.access(base, (attribute,))
            case pst.HasAttr(base, attributes):
                self.access(base, attributes)
            case pst.UnaryOp(operator, operand) if operator in _PURE:
                self.expression(operand)
            case pst.BinaryOp(operator, left, right) if operator in _PURE:
                self.each(left, right)
            case _:
                self.compound(expression)

    def compound(self, expression: object) -> None:
        match expression:
            case pst.Like(base, _):
                self.expression(base)
            case pst.Is(base, _, inside):
                self.each(base, *(() if inside is None else (inside,)))
            case pst.IfThenElse(condition, consequence, alternative):
                self.each(condition, consequence, alternative)
            case pst.Set(elements):
                self.each(*elements)
            case pst.Record(fields):
                self.each(*fields.values())
            case _:
                self.complete = False

    def each(self, *expressions: object) -> None:
        for expression in expressions:
            self.expression(expression)

    def access(self, base: object, path: Path) -> None:
        """`context.token.client` reads that path; anything less plain reads all that its parts name."""
        match base:
            case pst.GetAttr(inner, attribute):
                self.access(inner, (attribute, *path))
            case pst.Var(name):
                self.variable(name, path)
            case _:
                self.expression(base)

    def variable(self, name: str, path: Path) -> None:
        match name:
            case "context":
                self.context.add(path)
            case "principal":
                self.principal = True
                self.principal_attributes.update(path[:1])
            case "resource":
                self.resource_attributes.update(path[:1])
            case "action":
                pass  # one action a target
            case _:
                self.complete = False

    def entity(self, uid: pst.EntityUid) -> None:
        """An entity by its name can be the caller, or a target whose attributes are asked for."""
        match str(uid.type):
            case "Action":
                pass
            case "Principal":
                self.principal = True
            case _:
                self.other_targets = True
