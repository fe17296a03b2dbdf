"""Where the token is: in one Authorization header and nowhere else (RFC 6750 §2, MCP authorization)."""

from dataclasses import replace

from launchworthy.probe.case import GOES_THROUGH, NO_TOKEN, Case, Expected, bad_token
from launchworthy.probe.changes import credentials, edited_token
from launchworthy.probe.draft import Change, Draft

_SOURCE = "RFC 6750 §2 and §3.1, MCP authorization"
_ONE_HEADER = Expected(
    statuses=frozenset({400}),
    also=frozenset({401}),
    word="invalid_request",
    challenge="invalid_request",
    reasons=frozenset({"credential.duplicate", "credential.query"}),
)


def _case(  # noqa: PLR0917 - a row of the table
    control: str, name: str, title: str, why: str, change: Change, expected: Expected
) -> Case:
    return Case(
        id=f"credentials.{name}",
        control=control,
        title=title,
        why=why,
        source=_SOURCE,
        change=change,
        expected=expected,
    )


def _in_query(draft: Draft) -> None:
    draft.path = f"{draft.path}?access_token={draft.token()}"


def _only_in_query(draft: Draft) -> None:
    _in_query(draft)
    draft.credentials = lambda _: []


def _cookie(draft: Draft) -> None:
    draft.headers.append(("cookie", f"access_token={draft.token()}"))
    draft.credentials = lambda _: []


def _in_body(draft: Draft) -> None:
    draft.message["access_token"] = draft.token()
    draft.credentials = lambda _: []


def _forwarded(draft: Draft) -> None:
    draft.headers += [
        ("x-forwarded-user", "admin"),
        ("x-forwarded-access-token", draft.token()),
        ("x-amzn-oidc-data", draft.token()),
        ("x-forwarded-client-cert", 'By=spiffe://probe.invalid/x;URI="spiffe://probe.invalid/admin"'),
    ]
    draft.credentials = lambda _: []


def _long(token: str) -> str:
    head, payload, signature = token.split(".")
    return f"{head}.{payload}{'A' * 17_000}.{signature}"


_LOGGED = "a token in a URL is in every log on the way"
_OPEN = "whoever reaches the port is served"
_TWO = "two readers take two different tokens"

CREDENTIALS = (
    _case("TOK-01", "none", "a call without a token", _OPEN, credentials(lambda _: []), NO_TOKEN),
    _case("TOK-01", "empty", "a call with an empty token", _OPEN, credentials(lambda _: ["Bearer"]),
          replace(bad_token("malformed"), also=frozenset({400}))),
    _case("TOK-01", "basic", "a call with a user name and a password", _OPEN,
          credentials(lambda _: ["Basic " + "cHJvYmU6cHJvYmU="]), NO_TOKEN),
    _case("TOK-01", "forwarded", "a call that a proxy vouches for", "whoever reaches the port is anybody",
          _forwarded, NO_TOKEN),
    _case("TOK-01", "cookie", "a call with the token in a cookie", "a browser sends it for any site",
          _cookie, NO_TOKEN),
    _case("TOK-01", "body", "a call with the token in its body", _OPEN, _in_body, NO_TOKEN),
    _case("TOK-01", "no-jwt", "a call with a word for a token", _OPEN,
          credentials(lambda _: ["Bearer probe"]), bad_token("malformed")),
    _case("TOK-08", "query", "a call with the token in the query too", _LOGGED, _in_query, _ONE_HEADER),
    _case("TOK-08", "only-query", "a call with the token in the query only", _LOGGED, _only_in_query,
          Expected(statuses=frozenset({400, 401}), reasons=frozenset({"credential.query",
                   "credential.missing"}), challenge="invalid_request")),
    _case("TOK-08", "good-bad", "a call with two tokens, the good one first", _TWO,
          credentials(lambda token: [f"Bearer {token}", "Bearer probe"]), _ONE_HEADER),
    _case("TOK-08", "bad-good", "a call with two tokens, the good one last", _TWO,
          credentials(lambda token: ["Bearer probe", f"Bearer {token}"]), _ONE_HEADER),
    _case("TOK-08", "same-twice", "a call with the good token twice", _TWO,
          credentials(lambda token: [f"Bearer {token}", f"Bearer {token}"]), _ONE_HEADER),
    _case("TOK-08", "comma", "a call with two tokens in one header", _TWO,
          credentials(lambda token: [f"Bearer {token}, Bearer {token}"]),
          Expected(statuses=frozenset({400, 401}), reasons=frozenset({"credential.duplicate",
                   "credential.scheme", "token.malformed"}), challenge="invalid_token",
                   also=frozenset({400}))),
    _case("TOK-08", "huge", "a call with a token of 17 KiB", "strangers make the server work",
          edited_token(_long), replace(bad_token("malformed"), also=frozenset({400, 413, 431}))),
    _case("TOK-08", "lower-case", "a call with the scheme in lower case", "schemes have no case (RFC 9110)",
          credentials(lambda token: [f"bearer {token}"]), GOES_THROUGH),
)  # fmt: skip
