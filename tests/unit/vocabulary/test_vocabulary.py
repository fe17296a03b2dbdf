"""The nouns hold what they promise."""

import copy
import json
import pickle
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from launchworthy.vocabulary import (
    BearerToken,
    Environment,
    Problem,
    ProblemError,
    Reason,
    Secret,
    SecretRef,
    SecretScheme,
    WireWord,
    format_call_id,
    is_call_id,
    parse_scopes,
    printable,
    render_json,
    render_scopes,
    render_text,
    wire_word,
)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_one_public_word(reason):
    assert wire_word(reason) in WireWord
    assert reason.value == reason.value.lower()
    assert reason.family in reason.value


def test_the_public_words_tell_a_stranger_nothing_but_their_kind():
    assert {wire_word(reason) for reason in Reason if reason.family == "token"} == {WireWord.INVALID_TOKEN}
    assert {wire_word(reason) for reason in Reason if reason.family == "startup"} == {WireWord.UNAVAILABLE}
    assert wire_word(Reason.TOOL_SCOPE) is WireWord.INSUFFICIENT_SCOPE
    assert wire_word(Reason.INTERNAL) is WireWord.UNAVAILABLE


@given(st.integers(min_value=0, max_value=2**60 - 1))
def test_a_call_id_keeps_all_sixty_bits(bits):
    text = format_call_id(bits)
    assert is_call_id(text)
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    value = 0
    for character in text.replace("-", ""):
        value = value * 32 + alphabet.index(character)
    assert value == bits


@pytest.mark.parametrize("bits", [-1, 2**60])
def test_a_call_id_of_other_than_sixty_bits_is_refused(bits):
    with pytest.raises(ValueError, match="60 bits"):
        format_call_id(bits)


@pytest.mark.parametrize(
    "text", ["", "4T7K-9QX2-M0D", "4T7K-9QX2-M0DU", "4t7k-9qx2-m0dv", "4T7K-9QX2-M0DV\n"]
)
def test_what_is_no_call_id_is_known_as_such(text):
    assert not is_call_id(text)
    assert is_call_id("4T7K-9QX2-M0DV")


def test_scopes_follow_the_grammar():
    assert parse_scopes("orders:read orders:write") == {"orders:read", "orders:write"}
    assert render_scopes({"b", "a"}) == "a b"


@pytest.mark.parametrize("text", ["", " ", "a  b", " a", "a ", 'a"b', "a\\b", "a\tb", "ä", "a\n", "x" * 129])
def test_what_is_not_a_list_of_scopes_is_refused(text):
    with pytest.raises(ValueError, match="scopes"):
        parse_scopes(text)


def test_too_many_scopes_are_refused():
    assert len(parse_scopes(" ".join(f"s{n}" for n in range(64)))) == 64
    with pytest.raises(ValueError, match="64"):
        parse_scopes(" ".join(f"s{n}" for n in range(65)))


CANARY = "canary-5d1c0a"


@pytest.mark.parametrize("kind", [Secret, BearerToken])
def test_a_secret_is_shown_nowhere(kind):
    secret = kind(CANARY)
    assert secret.reveal() == CANARY
    assert CANARY not in repr(secret)
    assert CANARY not in repr({"token": secret})
    for show in (str, format, pickle.dumps, copy.copy, copy.deepcopy, json.dumps, hash):
        with pytest.raises(TypeError) as raised:
            show(secret)
        assert CANARY not in "".join(traceback.format_exception(raised.value))


def test_secrets_compare_by_value_and_with_nothing_else():
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"


def test_an_empty_secret_is_refused():
    with pytest.raises(ValueError, match="empty"):
        Secret("")


def test_a_token_has_a_digest_even_where_it_is_no_text():
    assert len(BearerToken("\udcff").digest) == 64
    assert BearerToken("a").digest != BearerToken("b").digest


def test_a_secret_reference_reads_as_it_was_written():
    plain = SecretRef(scheme=SecretScheme.FILE, locator="/run/secrets/key")
    full = SecretRef(scheme=SecretScheme.OPENBAO, locator="payments/creds", key="password", version="3")
    assert str(plain) == "file:/run/secrets/key"
    assert str(full) == "openbao:payments/creds#password@3"


def test_a_problem_keeps_its_four_parts_apart():
    problem = Problem(
        reason="secret-by-value",
        where="config/production.toml:28",
        what="holds a secret in `credentials.payments.token`",
        fix=("take it out and rotate it", 'broker = "openbao"'),
        field="credentials.payments.token",
    )
    assert render_text("not started", problem).splitlines() == [
        "launchworthy: not started [secret-by-value]",
        "  config/production.toml:28 holds a secret in `credentials.payments.token`",
        "  → take it out and rotate it",
        '    broker = "openbao"',
        "    launchworthy explain secret-by-value",
    ]
    line = json.loads(render_json("server.refused", problem, stage="settings", exit=78))
    assert line["field"] == "credentials.payments.token"
    assert line["where"] == "config/production.toml:28"
    assert line["exit"] == 78
    assert "\n" not in render_json("server.refused", problem)


def test_a_problem_error_without_a_problem_is_a_mistake():
    with pytest.raises(ValueError, match="needs a problem"):
        ProblemError()


def test_two_worlds():
    assert [e.value for e in Environment if e.simulated] == ["development", "rehearsal"]
    assert [e.value for e in Environment if not e.simulated] == ["staging", "production"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("orders · → `é`", "orders · → `é`"),
        ("a\x1b[2Jb", "a\\u{1b}[2Jb"),
        ("a\nHELD: nothing", "a\\u{a}HELD: nothing"),
        ("\x9b2J\u202eabc\udce9", "\\u{9b}2J\\u{202e}abc\\u{dce9}"),
    ],
)
def test_what_a_stranger_has_named_does_nothing_to_a_terminal(text, shown):
    assert printable(text) == shown
    problem = Problem(reason="unreadable-file", where=text, what=f"`{text}` is odd", fix=(text,))
    said = render_text("could not decide", problem)
    assert said.count(shown) == 3
    assert len(said.splitlines()) == 4
