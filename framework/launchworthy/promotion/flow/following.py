"""Where does what a caller says go? From the arguments of marked functions, through the package, to its end.

1. a text argument of a tool, resource or prompt is a caller's word, unless its type or pattern leaves no room
2. what is made of such a word is one too; a number, a digest, and what a table holds under it are none
3. a function that is given one by any call in the package has it from there on; so does who uses its result
4. a word that was compared (`in`, `==`, `fullmatch`, `is_relative_to`), where the rest ends, is none after it

A name stands for all functions of that name. What an object keeps, and another function reads of it, is not
followed.
"""

import ast
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from launchworthy.promotion.flow.modules import Defined, Module, callers_words
from launchworthy.promotion.flow.walking import Harm, Walk

_ROUNDS: Final = 50


class Following:
    """What becomes of callers' words in some modules."""

    def __init__(self, modules: Iterable[Module]) -> None:
        """Follow them at once."""
        self._modules = tuple(modules)
        self._functions = [each for module in self._modules for each in module.functions]
        self._named: dict[str, list[Defined]] = defaultdict(list)
        for each in self._functions:
            self._named[each.node.name].append(each)
        self._given: dict[ast.AST, set[str]] = defaultdict(set)
        self._returns: set[ast.AST] = set()
        self._harm: dict[ast.AST, set[Harm]] = defaultdict(set)
        aliases = {name: value for module in self._modules for name, value in module.aliases.items()}
        for each in self._functions:
            self._given[each.node] |= callers_words(each, {**aliases, **each.module.aliases})
        self._follow()

    def _follow(self) -> None:
        """Walk every function, and again each that has learnt something, until nobody learns any more."""
        waiting = self._functions
        for _ in range(_ROUNDS):
            given = {each.node: set(self._given[each.node]) for each in self._functions}
            returning = len(self._returns)
            for each in waiting:
                self._harm[each.node].clear()
                Walk(self, each).body()
            more = len(self._returns) > returning
            waiting = [
                each
                for each in self._functions
                if self._given[each.node] != given[each.node] or (more and self._given[each.node])
            ]
            if not waiting:
                return

    @property
    def harm(self) -> tuple[Harm, ...]:
        """Every place where it ends badly, in order."""
        return tuple(sorted(each for found in self._harm.values() for each in found))

    @property
    def functions(self) -> int:
        """How many functions were looked at."""
        return len(self._functions)

    def named(self, name: str) -> list[Defined]:
        """The package's functions of this name."""
        return self._named.get(name, [])

    def give(self, function: Defined, parameter: str) -> None:
        """A call gives this parameter a caller's word."""
        self._given[function.node].add(parameter)

    def given(self, node: ast.AST) -> set[str]:
        """The parameters that hold a caller's word."""
        return set(self._given[node])

    def returns(self, node: ast.AST) -> bool:
        """Whether its result holds a caller's word."""
        return node in self._returns

    def will_return(self, node: ast.AST) -> None:
        """Its result holds a caller's word."""
        self._returns.add(node)

    def report(self, node: ast.AST, harm: Harm) -> None:
        """It ends badly in this function."""
        self._harm[node].add(harm)
