"""Whatever bytes come, the outcome is a caller or a refusal, and nothing that was changed is accepted."""

import asyncio
import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from launchworthy.testing.issuer import ABSENT, SimulatedIssuer
from launchworthy.tokens import (
    DenyKind,
    ExceptionRule,
    IssuerException,
    IssuerPolicy,
    NobodyDenied,
    StrictJSONError,
    base64url,
    challenge,
    deniable_names,
    parse,
    parse_authorization,
)
from launchworthy.tokens.introspection import looks_like_jwt
from launchworthy.tokens.key_import import KeySetError, import_keys
from launchworthy.tokens.named_exceptions import Excepted
from launchworthy.tokens.verifier import TokenVerifier
from launchworthy.vocabulary import BearerToken, Principal, PrincipalKind, Refused

NOW = 1_800_000_000
AUDIENCE = "https://orders.acme.example/mcp"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=12,
)
CLAIMS = ("iss", "sub", "aud", "exp", "iat", "nbf", "jti", "client_id", "scope", "cnf", "act")
slow_ok = settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])


class Court:
    """A started verifier of one issuer, asked from ordinary code."""

    def __init__(self, issuer: SimulatedIssuer, runner: asyncio.Runner) -> None:
        self.issuer = issuer
        self.runner = runner
        policy = IssuerPolicy(
            name="simulated",
            issuer=issuer.issuer,
            algorithms=("ES256",),
            max_lifetime=3600,
            leeway=30,
            jwks_uri=issuer.jwks_uri,
            scope_claim="scope",
            person_claim=None,
            tenant_claim=None,
            key_fresh=300,
            key_stale=900,
            key_spacing=10,
            allow_loopback_http=True,
            single_audience=True,
            exceptions=(),
            introspection=None,
        )
        self.verifier = TokenVerifier(
            [policy], AUDIENCE, {}, lambda _: None, time.monotonic, deny=NobodyDenied()
        )
        runner.run(self.verifier.start(5))
        self.good = issuer.mint()

    def outcome(self, token: str) -> Principal | Refused:
        try:
            return self.runner.run(self.verifier.verify(BearerToken(token), NOW))
        except Refused as refused:
            return refused


@pytest.fixture(scope="module")
def court() -> Iterator[Court]:
    with (
        SimulatedIssuer({AUDIENCE: ("orders:read",)}, clock=lambda: NOW) as issuer,
        asyncio.Runner() as runner,
    ):
        made = Court(issuer, runner)
        assert isinstance(made.outcome(made.good), Principal)
        yield made
        runner.run(made.verifier.aclose())


@slow_ok
@given(
    token=st.text(min_size=1) | st.from_regex(r"[A-Za-z0-9_-]{0,80}(\.[A-Za-z0-9_-]{0,80}){0,4}").filter(len)
)
def test_any_text_is_refused(court: Court, token: str) -> None:
    outcome = court.outcome(token)
    assert isinstance(outcome, Refused)
    assert outcome.detail.isprintable()


@slow_ok
@given(header=st.binary(max_size=200), payload=st.binary(max_size=200))
def test_any_signed_bytes_are_refused(court: Court, header: bytes, payload: bytes) -> None:
    assert isinstance(court.outcome(court.issuer.mint(raw_header=header)), Refused)
    assert isinstance(court.outcome(court.issuer.mint(raw_payload=payload)), Refused)


@slow_ok
@given(name=st.sampled_from(CLAIMS), value=JSON)
@example(name="exp", value=float("inf"))
@example(name="act", value={"sub": "a", "act": {"sub": "a"}})
def test_any_value_of_a_claim_is_a_caller_or_a_refusal(court: Court, name: str, value: Any) -> None:
    outcome = court.outcome(court.issuer.mint(claims={name: value}))
    if isinstance(outcome, Principal):
        assert name not in ("iss", "aud", "cnf")
        assert NOW - 30 < outcome.expires_at <= NOW + 3600


@slow_ok
@given(name=st.sampled_from(["alg", "kid", "typ", "crit", "jwk", "x", "cty"]), value=JSON)
def test_any_value_of_a_header_is_a_caller_or_a_refusal(court: Court, name: str, value: Any) -> None:
    outcome = court.outcome(court.issuer.mint(header={name: value}))
    assert isinstance(outcome, Refused) or name == "x"


@slow_ok
@given(data=st.data())
def test_a_token_that_was_changed_anywhere_is_refused(court: Court, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(court.good) - 1))
    letter = data.draw(st.characters(max_codepoint=0x2FF).filter(lambda new: new != court.good[place]))
    assert isinstance(court.outcome(court.good[:place] + letter + court.good[place + 1 :]), Refused)


@slow_ok
@given(changes=st.dictionaries(st.sampled_from(CLAIMS[:9]), st.just(ABSENT), min_size=1))
def test_a_caller_needs_every_required_claim(court: Court, changes: dict[str, Any]) -> None:
    optional = {"nbf", "scope"}
    outcome = court.outcome(court.issuer.mint(claims=changes))
    assert isinstance(outcome, Principal) is (set(changes) <= optional)


@given(st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode()))
def test_bytes_are_read_as_the_standard_parser_does_or_refused(data: bytes) -> None:
    try:
        value = parse(data, max_depth=8, max_bytes=250)
    except StrictJSONError:
        return
    assert value == json.loads(data)
    assert json.dumps(value).encode()


@given(JSON)
def test_what_strict_json_reads_survives_being_written_and_read_again(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False, allow_nan=True)
    try:
        read = parse(text.encode("utf-8", "surrogatepass"), max_depth=64, max_bytes=10**6)
    except StrictJSONError:
        return
    assert parse(json.dumps(read).encode(), max_depth=64, max_bytes=10**7) == read


@given(st.binary(min_size=1))
def test_base64url_has_one_spelling(data: bytes) -> None:
    text = base64url.encode(data).encode()
    assert base64url.decode(text) == data
    with pytest.raises(ValueError, match="base64url"):
        base64url.decode(text + b"=")


@given(st.binary(min_size=1, max_size=40))
def test_text_that_is_read_as_base64url_is_what_would_be_written(text: bytes) -> None:
    try:
        data = base64url.decode(text)
    except ValueError:
        return
    assert base64url.encode(data).encode() == text


@given(st.lists(st.binary(), max_size=3), st.binary())
def test_any_headers_and_query_give_a_token_or_a_refusal(headers: list[bytes], query: bytes) -> None:
    try:
        token = parse_authorization(headers, query)
    except Refused:
        return
    assert len(headers) == 1
    assert headers[0][7:].decode() == token.reveal()


@given(st.lists(JSON, max_size=5) | JSON)
def test_any_key_set_is_taken_or_refused(value: Any) -> None:
    with pytest.raises(KeySetError):
        import_keys({"keys": value}, ("ES256", "RS256"))


@example(None, ["="], "x", None)
@given(
    st.sampled_from([None, "invalid_token", "invalid_request"]),
    st.lists(st.text()),
    st.text(),
    st.none() | st.text(),
)
def test_a_challenge_is_one_line_of_quoted_strings_or_an_error(
    error: str | None, scope: list[str], url: str, description: str | None
) -> None:
    try:
        value = challenge(
            error=error, scope=tuple(scope), resource_metadata="https://" + url, description=description
        )
    except ValueError:
        return
    assert value.isascii()
    assert value.isprintable()
    assert re.fullmatch(r'Bearer [a-z_]+="[^"\\]+"(, [a-z_]+="[^"\\]+")*', value)


RULES = st.sampled_from(list(ExceptionRule))
EXCEPTIONS = st.lists(
    st.tuples(RULES, st.text(max_size=6) | st.sampled_from(["JWT", "azp", "uti"]), st.integers(-5, 5)),
    unique_by=lambda each: each[0],
)


@given(EXCEPTIONS, st.integers(-6, 6), st.integers(0, 6))
def test_an_exception_holds_before_its_end_and_never_again(
    listed: list[tuple[ExceptionRule, str, int]], now: int, later: int
) -> None:
    exceptions = [IssuerException(rule=rule, value=value, until=until) for rule, value, until in listed]
    excepted = Excepted(exceptions, now)
    for each in exceptions:
        assert excepted.holds(each.rule) is (now < each.until)
        assert excepted.value(each.rule) == (each.value if now < each.until else None)
    assert now < excepted.until
    after = Excepted(exceptions, now + later)
    assert not any(after.holds(each.rule) and not excepted.holds(each.rule) for each in exceptions)


@given(st.binary(max_size=60), st.text("abcXYZ019._~+/-", max_size=40))
def test_a_first_part_that_is_a_json_object_is_never_opaque(spaces: bytes, rest: str) -> None:
    object_of_any_bytes = b" " * (len(spaces) % 4) + b'{"alg":"x"' + spaces
    assert looks_like_jwt(BearerToken(f"{base64url.encode(object_of_any_bytes)}.{rest}"))
    assert not looks_like_jwt(BearerToken("x" + rest.replace(".", "")))


@given(st.text(min_size=1, max_size=5), st.lists(st.text(min_size=1, max_size=5), max_size=4))
def test_every_name_of_a_caller_can_be_denied_and_no_other(subject: str, actors: list[str]) -> None:
    caller = Principal(
        issuer="https://a.example", subject=subject, client="agent", kind=PrincipalKind.MACHINE,
        scopes=frozenset(), actors=tuple(actors), token_id="id", issued_at=0, expires_at=1,
    )  # fmt: skip
    names = deniable_names(caller)
    assert {name.issuer for name in names} == {caller.issuer}
    assert {name.value for name in names} == {subject, "agent", "id", *actors}
    assert {name.value for name in names if name.kind is DenyKind.TOKEN} == {"id"}
