"""What may a team's own rule be? A `forbid` with a name and a sentence, and nothing else."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

import cedarpy
from cedarpy import pst

from launchworthy.manifest import SourceFile, find_hidden, hidden_characters
from launchworthy.policy.cedar_text import MAX_DEPTH, MAX_OPERATORS, Statement, statements
from launchworthy.vocabulary import Environment, Problem, ProblemError

MAX_FILE = 256 * 1024
MAX_SENTENCE = 200
_ID = re.compile(r"team:[a-z0-9]+(-[a-z0-9]+)*")
_KNOWN = ("id", "says")
_FOLDER = "policy"
_NAME = re.compile(r"[A-Za-z0-9._-]+\.cedar")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule that says no, and how it says it.

    Attributes:
        id: `team:no-bulk-orders`.
        says: one sentence for people.
        where: `policy/rules.cedar:4`.
    """

    id: str
    says: str
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFile:
    """The rules of one file, parsed and found to be nothing but rules.

    Attributes:
        path: `policy/rules.cedar`.
        text: the whole file.
        rules: with what Cedar made of each, in the order of the text.
    """

    path: str
    text: str
    rules: tuple[tuple[Rule, pst.Template], ...]


def read_rules(rules: Mapping[str, bytes], environment: Environment) -> tuple[RuleFile, ...]:
    """Read the files that apply in an environment, `policy/*.cedar` and `policy/<environment>/*.cedar`.

    Raises:
        ProblemError: every problem of every file.
    """
    problems: list[Problem] = []
    files = []
    for path in sorted(rules):
        try:
            if _applies(path, environment):
                files.append(_read(path, rules[path]))
        except ProblemError as error:
            problems += error.problems
    problems += _duplicates(rule for file in files for rule, _ in file.rules)
    if problems:
        raise ProblemError(*problems)
    return tuple(files)


def _applies(path: str, environment: Environment) -> bool:
    *folders, name = PurePosixPath(path).parts
    if _NAME.fullmatch(name) is None:
        what = "is no name for a file of rules"
        fix = ("name it in letters, digits, `.`, `_` and `-`, with `.cedar` at its end",)
        raise ProblemError(Problem(reason="policy-folder", where=path, what=what, fix=fix))
    if folders == [_FOLDER]:
        return True
    if len(folders) == 2 and folders[0] == _FOLDER and folders[1] in tuple(Environment):  # noqa: PLR2004
        return folders[1] == environment.value
    what = "is a rule in a folder that is no environment, and would apply nowhere"
    fix = ("move it to policy/, or to policy/staging/ or policy/production/",)
    raise ProblemError(Problem(reason="policy-folder", where=path, what=what, fix=fix))


def _read(path: str, content: bytes) -> RuleFile:
    text = _decode(path, content)
    source = SourceFile(path=path, text=text, topic="policy")
    if hidden := tuple(hidden_characters(source)):
        raise ProblemError(*hidden)
    problems: list[Problem] = []
    rules = []
    for statement in statements(text):
        where = f"{path}:{statement.line}"
        try:
            template = _parse(statement, where)
        except ProblemError as error:
            problems += error.problems
            continue
        problems += _lint(template, where)
        rule = Rule(
            id=template.annotations.get("id", ""), says=template.annotations.get("says", ""), where=where
        )
        rules.append((rule, template))
    if problems:
        raise ProblemError(*problems)
    return RuleFile(path=path, text=text, rules=tuple(rules))


def _decode(path: str, content: bytes) -> str:
    if len(content) > MAX_FILE:
        what = f"is larger than {MAX_FILE} bytes"
        raise ProblemError(Problem(reason="policy-not-cedar", where=path, what=what, fix=("split it",)))
    try:
        return content.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        where = f"{path}:{line}"
        fix = ("save the file as UTF-8",)
        raise ProblemError(Problem(reason="not-utf8", where=where, what="is not UTF-8", fix=fix)) from None


def _parse(statement: Statement, where: str) -> pst.Template:
    if statement.depth > MAX_DEPTH or statement.operators > MAX_OPERATORS:
        raise ProblemError(
            _problem("policy-not-cedar", where, "is too long a condition", "split it into two rules")
        )
    try:
        parsed = cedarpy.policies_to_pst(statement.text)
    except ValueError as error:
        raise ProblemError(
            _problem("policy-not-cedar", where, f"is no Cedar: {error}", "correct it")
        ) from None
    if len(parsed.static_policies) != 1:
        raise ProblemError(
            _problem(
                "policy-template",
                where,
                "is a template, or not one rule",
                "name what it is about in each rule",
            )
        )
    [template] = parsed.static_policies.values()
    return template


def _lint(template: pst.Template, where: str) -> Iterator[Problem]:
    if template.effect != "forbid":
        yield _problem(
            "policy-permits",
            where,
            "permits, and a team's rule can only forbid",
            "what is allowed stands in manifests/: scopes, environments",
        )
    if _ID.fullmatch(template.annotations.get("id", "")) is None:
        yield _problem(
            "policy-rule-id",
            where,
            "has no name of the form `team:no-bulk-orders`",
            'put in front of it:  @id("team:…")',
        )
    says = template.annotations.get("says", "")
    if not says.strip() or len(says) > MAX_SENTENCE or "\n" in says or "\t" in says or find_hidden(says):
        yield _problem(
            "policy-says",
            where,
            "does not say in one line what people read when it says no",
            'put in front of it:  @says("…")',
        )
    for name in template.annotations:
        if name not in _KNOWN:
            yield _problem(
                "policy-annotation", where, f"has the annotation `@{name}`, which does nothing", "take it out"
            )


def _duplicates(rules: Iterator[Rule]) -> Iterator[Problem]:
    first: dict[str, Rule] = {}
    for rule in rules:
        before = first.setdefault(rule.id, rule)
        if before is not rule:
            what = f"is called `{rule.id}`, and so is {before.where}"
            yield _problem("policy-rule-id", rule.where, what, "give each rule a name of its own")


def _problem(reason: str, where: str, what: str, fix: str) -> Problem:
    return Problem(reason=reason, where=where, what=what, fix=(fix,))
