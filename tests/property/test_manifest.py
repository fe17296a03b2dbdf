"""Over generated texts: keys have their lines, templates overlap as their words do, scopes are closed."""

import json
import re
import tomllib
from itertools import pairwise, product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from launchworthy.manifest import find_hidden, implied_scopes, line_of, load_manifests
from launchworthy.manifest.scopes import find_cycle
from launchworthy.manifest.template import overlapping, template_mistake, variables
from launchworthy.vocabulary import ProblemError

SETTINGS = settings(max_examples=150)

# ------------------------------------------------------------------------------------------ TOML documents

keys = st.one_of(
    st.from_regex(r"[a-z][a-z0-9_-]{0,4}", fullmatch=True),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=4).map(
        lambda text: json.dumps(text, ensure_ascii=False)
    ),
    st.from_regex(r"'[ -&(-~]{0,4}'", fullmatch=True),
)
scalars = st.one_of(
    st.integers(-9, 9).map(str),
    st.booleans().map(lambda value: str(value).lower()),
    st.sampled_from(
        [
            "1979-05-27T07:32:00Z",
            "0.5",
            "'a # b = c'",
            '"[x]\\n\\" = 1"',
            '"""\nx = 1\n[y]\n"""',
            "'''a''b\nc = 1'''",
            '"""a""""',
        ]
    ),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(
            lambda found: "[\n" + "".join(f"  {one}, # ] }}\n" for one in found) + "]"
        ),
        st.dictionaries(keys, inner, max_size=2).map(
            lambda found: "{ " + ", ".join(f"{key} = {one}" for key, one in found.items()) + " }"
        ),
    ),
    max_leaves=4,
)
pairs = st.builds("{} = {}".format, st.lists(keys, min_size=1, max_size=2).map(".".join), values)
lines = st.one_of(
    pairs,
    pairs.map("{}  # comment = 1".format),
    st.just(""),
    st.just("# a = 1"),
    st.lists(keys, min_size=1, max_size=2).map(lambda found: f"[{' . '.join(found)}]"),
    keys.map("[[{}]]".format),
)
documents = st.lists(lines, max_size=8).map("\n".join)


def paths(value, path=()):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key)
            yield from paths(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield (*path, str(number))
            yield from paths(inner, (*path, str(number)))


@SETTINGS
@given(document=documents, end=st.sampled_from(["\n", "\r\n"]))
def test_every_key_of_a_document_has_its_line(document, end):
    try:
        data = tomllib.loads(document)
    except tomllib.TOMLDecodeError:
        assume(False)
    text = document.replace("\n", end)
    for path in paths(data):
        line = line_of(text, path)
        assert line is not None, path
        if not path[-1].isdecimal():
            spelt = (path[-1], json.dumps(path[-1])[1:-1], json.dumps(path[-1], ensure_ascii=False)[1:-1])
            assert any(name in text.split("\n")[line - 1] for name in spelt), path


@SETTINGS
@given(text=st.text(max_size=80))
def test_any_text_has_lines_or_none(text):
    line = line_of(text, ("a",))
    assert line is None or 1 <= line <= text.count("\n") + 1


# ------------------------------------------------------------------------------------------ templates

templates = st.lists(st.sampled_from(["a", "b", "{x}", "{y}", "/"]), min_size=1, max_size=4).map(
    lambda parts: "s://a" + "".join(parts)
)
WORDS = ["".join(letters) for length in range(7) for letters in product("ab/", repeat=length)]


def matches(template, word):
    parts = re.split(r"(\{[xy]\})", template)
    pattern = "".join("[^/]*" if part.startswith("{") else re.escape(part) for part in parts)
    return re.fullmatch(pattern, f"s://a{word}") is not None


@SETTINGS
@given(one=templates, other=templates)
def test_templates_overlap_exactly_where_a_uri_matches_both(one, other):
    assume(template_mistake(one, is_uri=True) is None and template_mistake(other, is_uri=True) is None)
    witness = any(matches(one, word) and matches(other, word) for word in WORDS)
    assert bool(overlapping([one, other])) is witness
    assert bool(overlapping([other, one])) is witness


@SETTINGS
@given(template=st.text(st.sampled_from("ab{}/:.x_"), max_size=12))
def test_a_template_that_is_fine_has_variables_that_are_names(template):
    if template_mistake(template, is_uri=False) is None:
        assert all(re.fullmatch("[a-z_][a-z0-9_]*", name) for name in variables(template))
        assert template.count("{") == template.count("}") == len(variables(template))


# ------------------------------------------------------------------------------ scopes and characters

graphs = st.dictionaries(
    st.sampled_from("abcde"),
    st.lists(st.sampled_from("abcde"), min_size=1, max_size=3, unique=True).map(tuple),
    max_size=5,
)


@SETTINGS
@given(implies=graphs, granted=st.frozensets(st.sampled_from("abcde")))
def test_implied_scopes_are_closed_and_no_more(implies, granted):
    found = implied_scopes(granted, implies)
    assert granted <= found
    assert all(implied in found for scope in found for implied in implies.get(scope, ()))
    assert implied_scopes(found, implies) == found
    assert all(scope in granted or any(scope in implies.get(one, ()) for one in found) for scope in found)


@SETTINGS
@given(implies=graphs)
def test_a_circle_is_found_where_there_is_one(implies):
    way = find_cycle(implies)
    circular = any(scope in implied_scopes(implies.get(scope, ()), implies) for scope in implies)
    assert (way is not None) is circular
    if way is not None:
        assert way[0] == way[-1]
        assert all(after in implies[before] for before, after in pairwise(way))


@SETTINGS
@given(text=st.text(st.characters(categories=("L", "N", "P", "S"), max_codepoint=0x2FF), max_size=40))
def test_letters_and_signs_of_latin_text_are_never_hidden(text):
    assert find_hidden(text) == ()


@settings(max_examples=300)
@given(content=st.binary(max_size=60))
def test_any_bytes_are_refused_with_a_place_and_what_to_do(content):
    with pytest.raises(ProblemError) as refused:
        load_manifests({"manifests/server.toml": content, "manifests/tools.toml": content})
    assert all(problem.where is not None and problem.fix for problem in refused.value.problems)
