"""Is a key renamed where it stands, every other byte kept, and nothing done that only a person can decide?"""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from launchworthy.migration.toml_keys import NotRenamedError, rename_key

TEXT = """\
#:schema ../x
# scope = "in a comment"
[tools.find]          # who
scope     = ["a"]  # kept
other = 1

[tools."a b"]
"scope" = ["b"]
example = { scope = 3 }

[tools.find.scope_of]
scope = "deeper"

[resources.order]
scope = ["c"]
"""


def test_a_key_is_renamed_in_its_tables_and_every_other_byte_is_kept():
    renamed = rename_key(TEXT, ("tools", "*"), "scope", "scopes")
    expected = TEXT.replace('scope     = ["a"]', 'scopes     = ["a"]').replace('"scope" =', "scopes =")
    assert renamed == expected
    assert rename_key(renamed, ("tools", "*"), "scope", "scopes") == renamed


def test_a_table_is_renamed_with_what_is_below_it():
    text = "[issuers.a]  # one\nx = 1\n[issuers.a.old]\n# said\ny = 2\n[issuers.a.old.deep]\nz = 3\n"
    renamed = rename_key(text, ("issuers", "*"), "old", "new")
    assert renamed == text.replace("a.old", "a.new")


def test_an_entry_of_a_list_counts_as_the_lists():
    text = '[[waivers]]\ncontrol = "A"\n\n[[waivers]]\ncontrol = "B"  # two\n'
    renamed = rename_key(text, ("waivers",), "control", "controls")
    assert renamed == text.replace("control =", "controls =")


def test_line_ends_of_windows_stay():
    assert rename_key("[a]\r\nb = 1\r\n", ("a",), "b", "c") == "[a]\r\nc = 1\r\n"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[tools.a]\nscope = 1\nscopes = 2\n", "both"),
        ("tools = { a = { scope = 1 } }\n", "only a person"),
        ('[tools.a]\nscope = 1\n[x]\ny = """\n[tools.a]\nscope = 2\n"""\n', "only a person"),
        ("[tools.a\n", "no TOML"),
    ],
)
def test_what_only_a_person_can_change_is_refused(text, why):
    with pytest.raises(NotRenamedError, match=why):
        rename_key(text, ("tools", "*"), "scope", "scopes")


def test_a_text_that_looks_like_the_key_inside_a_string_is_left_alone():
    text = '[a]\nx = """\nb = 1\n"""\n'
    assert rename_key(text, ("a",), "b", "c") == text


@given(
    st.dictionaries(
        st.sampled_from(["old", "other", "a", "b"]),
        st.one_of(
            st.integers(0, 9),
            st.text(st.characters(codec="ascii", exclude_characters='"\\\x7f', min_codepoint=32), max_size=5),
        ),
    ),
    st.booleans(),
)
def test_what_comes_out_holds_the_same_under_the_new_name(held, commented):
    lines = [
        f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}" for key, value in held.items()
    ]
    text = "[t]\n" + "".join(line + ("  # old = 1\n" if commented else "\n") for line in lines)
    renamed = tomllib.loads(rename_key(text, ("t",), "old", "new"))
    assert renamed == {"t": {("new" if key == "old" else key): value for key, value in held.items()}}
