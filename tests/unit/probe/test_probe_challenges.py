"""What others write into WWW-Authenticate is read by the grammar, and by nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from launchworthy.probe.challenge import MALFORMED, read_challenges


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], None),
        (["Basic realm=x"], None),
        (["Negotiate dG9rZW4="], None),
        (["Bearer"], {}),
        (["bearer"], {}),
        (['Bearer error="invalid_token"'], {"error": "invalid_token"}),
        (["Bearer error=invalid_token"], {"error": "invalid_token"}),
        (['Bearer  Realm="a b" , scope = "x y"'], {"realm": "a b", "scope": "x y"}),
        (['Bearer error="a \\"b\\""'], {"error": 'a "b"'}),
        (['Basic realm="x", Bearer scope="a"'], {"scope": "a"}),
        (['Bearer scope="a", DPoP algs="ES256"'], {"scope": "a"}),
        (["Basic realm=x", 'Bearer scope="a"'], {"scope": "a"}),
        (['Negotiate dG9r=, Bearer scope="a"'], {"scope": "a"}),
    ],
)
def test_every_form_of_the_grammar_is_read(values, expected):
    assert read_challenges(values) == expected


@pytest.mark.parametrize(
    "values",
    [
        ['Bearer error="a", error="b"'],
        ['Bearer error="a'],
        ['Bearer scope="a"', 'Bearer scope="b"'],
        ['Bearer scope="a" junk="b"'],
        ['Bearer scope="a", "b"'],
    ],
)
def test_what_two_readers_read_differently_is_malformed(values):
    assert set(read_challenges(values) or {}) == {MALFORMED}


@given(st.lists(st.text(alphabet='Bearer scope="a b",\\=xyz \t', max_size=60), max_size=3))
def test_whatever_it_says_it_is_read_or_malformed(values):
    found = read_challenges(values)
    assert found is None or all(isinstance(value, str) for value in found.values())


def test_a_challenge_without_end_is_read_in_no_time():
    assert read_challenges(["Bearer " + "a=b," * 100_000]) is not None
