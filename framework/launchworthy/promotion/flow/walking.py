"""What does one function do with a caller's words? Statement by statement, with the names that hold them."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from launchworthy.promotion.flow.guards import checked, dotted, ends
from launchworthy.promotion.flow.modules import Defined
from launchworthy.promotion.flow.sinks import CLIENTS, harm_of

_CLEAN: Final = frozenset(
    {"int", "float", "bool", "len", "ord", "hash", "isinstance", "UUID", "Decimal", "hexdigest", "digest",
     "fromisoformat", "quote", "quote_plus", "count", "index", "find", "startswith", "endswith", "exists",
     "is_file", "is_dir", "is_relative_to", "fullmatch", "id", "type", "Identifier"}
)  # fmt: skip
"""What gives a number, a yes or no, or a word without room, whatever it is given."""
_HANDED_ON: Final = {"to_thread": 0, "run_sync": 0, "partial": 0, "submit": 0, "run_in_executor": 1}
"""What calls a function later, and at which place it is given."""
_NO_WORDS: Final = (ast.Compare, ast.Constant, ast.Lambda)


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Harm:
    """One place where it ends badly.

    Attributes:
        where: `src/orders/tools.py:12`.
        what: a few words.
        function: in which function.
    """

    where: str
    what: str
    function: str


class Known(Protocol):
    """What all functions of the package have learnt of each other."""

    def named(self, name: str) -> list[Defined]:
        """The package's functions of this name."""

    def give(self, function: Defined, parameter: str) -> None:
        """A call gives this parameter a caller's word."""

    def given(self, node: ast.AST) -> set[str]:
        """The parameters that hold a caller's word."""

    def returns(self, node: ast.AST) -> bool:
        """Whether its result holds a caller's word."""

    def will_return(self, node: ast.AST) -> None:
        """Its result holds a caller's word."""

    def report(self, node: ast.AST, harm: Harm) -> None:
        """It ends badly in this function."""


class Walk:
    """One function."""

    def __init__(self, following: Known, function: Defined) -> None:
        """Begin with the parameters that hold a caller's word."""
        self._following = following
        self._function = function
        self._module = function.module
        self._clients: set[str] = set()
        self._words: set[str] = following.given(function.node)

    def body(self) -> None:
        """Walk it from its first statement to its last."""
        self._block(self._function.node.body)

    def _block(self, statements: Iterable[ast.stmt]) -> None:
        for statement in statements:
            self._statement(statement)

    def _statement(self, statement: ast.stmt) -> None:
        """By its kind; what is no compound is simple."""
        visit = getattr(self, f"_{type(statement).__name__.lower()}", self._simple)
        visit(statement)

    def _if(self, statement: ast.If) -> None:
        self._look(statement.test)
        self._branch(statement.test, statement.body, statement.orelse)

    def _for(self, statement: ast.For | ast.AsyncFor) -> None:
        self._look(statement.iter)
        self._put(statement.target, holds=self._holds(statement.iter))
        for _ in range(2):
            self._block([*statement.body, *statement.orelse])

    def _while(self, statement: ast.While) -> None:
        self._look(statement.test)
        for _ in range(2):
            self._block([*statement.body, *statement.orelse])

    def _with(self, statement: ast.With | ast.AsyncWith) -> None:
        for item in statement.items:
            self._look(item.context_expr)
            if item.optional_vars is not None:
                self._bind(item.optional_vars, item.context_expr)
        self._block(statement.body)

    def _try(self, statement: ast.Try) -> None:
        handled = [each for handler in statement.handlers for each in handler.body]
        self._block([*statement.body, *handled, *statement.orelse, *statement.finalbody])

    def _match(self, statement: ast.Match) -> None:
        self._look(statement.subject)
        self._cases(statement.subject, statement.cases)

    def _functiondef(self, statement: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        """A function inside sees the names around it; whoever calls it comes later."""
        around = set(self._words)
        self._block(statement.body)
        self._words = around

    _asyncfor, _asyncwith, _trystar = _for, _with, _try
    _asyncfunctiondef = _classdef = _functiondef

    def _simple(self, statement: ast.stmt) -> None:
        self._look(statement)
        match statement:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._bind(target, value)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._bind(target, value)
            case ast.AugAssign(target=target, value=value):
                self._put(target, holds=self._holds(value) or self._holds(target))
            case ast.Return(value=ast.expr() as value) if self._holds(value):
                self._following.will_return(self._function.node)
            case ast.Expr(value=ast.Yield(value=ast.expr() as value)) if self._holds(value):
                self._following.will_return(self._function.node)

    def _branch(self, test: ast.expr, body: list[ast.stmt], orelse: list[ast.stmt]) -> None:
        """A check that lets only what it names pass: after it where the rest ends, or inside of it."""
        names, denied = checked(test)
        before = set(self._words)
        self._words = before - (set() if denied else names)
        self._block(body)
        after_body = set() if ends(body) else set(self._words)
        self._words = before - (names if denied else set())
        self._block(orelse)
        after_else = set() if orelse and ends(orelse) else set(self._words)
        self._words = after_body | after_else

    def _cases(self, subject: ast.expr, cases: list[ast.match_case]) -> None:
        before, after = set(self._words), set[str]()
        for case in cases:
            constant = isinstance(case.pattern, ast.MatchValue | ast.MatchOr)
            self._words = before - ({dotted(subject)} if constant else set())
            if self._holds(subject):
                captured = (
                    each for each in ast.walk(case.pattern) if isinstance(each, ast.MatchAs | ast.MatchStar)
                )
                self._words |= {each.name for each in captured if each.name is not None}
            self._block(case.body)
            after |= set() if ends(case.body) else self._words
        self._words = before | after

    def _bind(self, target: ast.expr, value: ast.expr) -> None:
        inner = value.value if isinstance(value, ast.Await) else value
        made = self._module.meaning(inner.func) if isinstance(inner, ast.Call) else ""
        if isinstance(target, ast.Name) and CLIENTS.fullmatch(made):
            self._clients.add(target.id)
        self._put(target, holds=self._holds(value))

    def _put(self, target: ast.expr, *, holds: bool) -> None:
        match target:
            case ast.Tuple(elts=elts) | ast.List(elts=elts):
                for each in elts:
                    self._put(each, holds=holds)
            case ast.Starred(value=value):
                self._put(value, holds=holds)
            case ast.Subscript(value=value) if holds:
                self._put(value, holds=True)
            case ast.Name() | ast.Attribute():
                (self._words.add if holds else self._words.discard)(dotted(target))
            case _:
                return

    def _look(self, node: ast.AST) -> None:
        """Every call in an expression or a simple statement."""
        for each in ast.walk(node):
            match each:
                case ast.NamedExpr(target=target, value=value):
                    self._put(target, holds=self._holds(value))
                case ast.comprehension(target=target, iter=iterated) if self._holds(iterated):
                    self._put(target, holds=True)
        for each in ast.walk(node):
            if isinstance(each, ast.Call):
                self._call(each)

    def _call(self, call: ast.Call) -> None:
        place = _HANDED_ON.get(_called(call))
        if place is not None and len(call.args) > place:  # to_thread(function, words)
            later = ast.Call(func=call.args[place], args=call.args[place + 1 :], keywords=call.keywords)
            self._call(ast.copy_location(later, call))
        for what in harm_of(call, self._module, self._holds, self._clients):
            where = f"{self._module.path}:{call.lineno}"
            harm = Harm(where=where, what=what, function=self._function.node.name)
            self._following.report(self._function.node, harm)
        for function in self._following.named(_called(call)):
            for name, value in _filled(function, call):
                if self._holds(value):
                    self._following.give(function, name)

    def _holds(self, node: ast.expr) -> bool:
        """Whether an expression holds a caller's word."""
        if isinstance(node, _NO_WORDS):
            return False
        if isinstance(node, ast.Name | ast.Attribute) and dotted(node) in self._words:
            return True
        match node:
            case ast.Subscript(value=value):
                parts = [value]  # what stands under a word is not the word
            case ast.Call():
                return self._result_holds(node)
            case ast.FormattedValue(value=value):
                parts = [] if _is_number(node) else [value]
            case ast.IfExp(body=body, orelse=orelse):
                parts = [body, orelse]
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                parts = [node.elt]
            case _:
                parts = [each for each in ast.iter_child_nodes(node) if isinstance(each, ast.expr)]
        return any(map(self._holds, parts))

    def _result_holds(self, call: ast.Call) -> bool:
        name = _called(call)
        if name in _CLEAN:
            return False
        values = [*call.args, *(each.value for each in call.keywords)]
        given = any(map(self._holds, values))
        if functions := self._following.named(name):
            return given and any(self._following.returns(each.node) for each in functions)
        around = isinstance(call.func, ast.Attribute) and self._holds(call.func.value)
        return around or (given and name != "get")


def _is_number(node: ast.FormattedValue) -> bool:
    """Whether a format says that it is one: text would fail."""
    match node.format_spec:
        case ast.JoinedStr(values=[ast.Constant(value=str() as said)]):
            return said.endswith(("d", "f", "x"))
        case _:
            return False


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _filled(function: Defined, call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    """Which parameter gets which expression; what a star spreads goes to all that come after it."""
    yield from _by_place(function, call)
    arguments = function.node.args
    for keyword in call.keywords:
        if keyword.arg is None:
            yield from ((name, keyword.value) for name in function.parameters)
        elif keyword.arg in function.parameters:
            yield keyword.arg, keyword.value
        elif arguments.kwarg is not None:
            yield arguments.kwarg.arg, keyword.value


def _by_place(function: Defined, call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    parameters, rest = function.parameters, function.node.args.vararg
    for place, value in enumerate(call.args):
        if isinstance(value, ast.Starred):
            yield from ((name, value.value) for name in parameters[place:])
        elif place < len(parameters):
            yield parameters[place], value
        elif rest is not None:
            yield rest.arg, value
