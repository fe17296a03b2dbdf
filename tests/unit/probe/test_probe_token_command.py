"""A command's token counts as what it is, and nobody but its issuer can make another."""

import base64
import json
import sys
from contextlib import suppress

import pytest

from launchworthy.probe.cases import CASES
from launchworthy.probe.cases.audience import SOMEBODY_ELSE
from launchworthy.probe.draft import good_draft
from launchworthy.probe.issuing import CannotMint
from launchworthy.probe.probed import Target
from launchworthy.probe.probing import probed_of
from launchworthy.probe.token_command import CommandIssuer
from launchworthy.testing.issuer import SimulatedIssuer

RESOURCE = "https://orders.acme.example/mcp"
NOW = 1_795_000_000
SCRIPT = """
import json, os, sys, base64
part = lambda m: base64.urlsafe_b64encode(json.dumps(m).encode()).decode().rstrip("=")
obeys = sys.argv[1] == "obeys"
scope = os.environ.get("PROBE_SCOPE", "orders:read orders:write") if obeys else "orders:read orders:write"
aud = os.environ["PROBE_RESOURCE"] if obeys else "https://orders.acme.example/mcp"
claims = {"iss": "https://login.acme.example", "aud": aud, "scope": scope, "exp": int(sys.argv[2])}
print(".".join((part({"alg": "ES256", "kid": "k1", "typ": "at+jwt"}), part(claims), "c2lnbmF0dXJl")))
open(sys.argv[3], "a").write("x")
"""


@pytest.fixture
def command(tmp_path):
    (tmp_path / "token.py").write_text(SCRIPT)

    def issuer(*, obeys: bool = True, lasts: int = 600) -> CommandIssuer:
        words = [
            sys.executable,
            tmp_path / "token.py",
            "obeys" if obeys else "ignores",
            NOW + lasts,
            tmp_path / "ran",
        ]
        return CommandIssuer(" ".join(map(str, words)), RESOURCE, lambda: NOW, {})

    return issuer


def claims_of(token: str) -> dict:
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def mint(issuer, scopes=("orders:read", "orders:write"), *, claims=None, header=None, **changes) -> str:
    grant = issuer.grant(resource=RESOURCE, scopes=scopes, claims={"exp": 1})
    return issuer.mint(grant, claims=claims or {}, header=header or {}, **changes)


def test_a_good_token_is_what_the_command_printed(command):
    assert claims_of(mint(command()))["aud"] == RESOURCE


def test_other_scopes_are_asked_for_and_looked_for(command):
    assert claims_of(mint(command(), ()))["scope"] == ""
    assert claims_of(mint(command(), ("orders:read",)))["scope"] == "orders:read"
    with pytest.raises(CannotMint, match="exactly the scopes"):
        mint(command(obeys=False), ())


def test_a_token_for_somebody_else_is_for_nobody_who_exists(command):
    assert claims_of(mint(command(), claims={"aud": SOMEBODY_ELSE}))["aud"] == SOMEBODY_ELSE
    with pytest.raises(CannotMint, match="no token for"):
        mint(command(obeys=False), claims={"aud": SOMEBODY_ELSE})
    with pytest.raises(CannotMint):
        mint(command(), claims={"aud": "https://payments.acme.example"})


@pytest.mark.parametrize(
    "changes",
    [
        {"claims": {"exp": 0}},
        {"header": {"typ": "JWT"}},
        {"raw_payload": b"{}"},
        {"signature": lambda _: b""},
    ],
)
def test_what_only_the_issuer_could_sign_is_not_made(command, changes):
    with pytest.raises(CannotMint, match="only an issuer"):
        mint(command(), **changes)


def test_a_strangers_token_is_the_good_one_signed_by_another_key(command):
    stranger = SimulatedIssuer({RESOURCE: ()}).keys.active()
    good, forged = mint(command()), mint(command(), key=stranger, claims={"iss": "https://probe.invalid"})
    assert claims_of(forged) == {**claims_of(good), "iss": "https://probe.invalid"}
    assert forged.rpartition(".")[2] != good.rpartition(".")[2]


def test_the_command_is_asked_once_for_each_token_until_it_is_nearly_over(command, tmp_path):
    issuer = command()
    for _ in range(3):
        mint(issuer)
    assert (tmp_path / "ran").read_text() == "x"
    short = command(lasts=30)
    for _ in range(3):
        mint(short)
    assert (tmp_path / "ran").read_text() == "xxxx"


@pytest.mark.parametrize(
    "words",
    [
        "/bin/false",
        "/bin/echo",
        "/bin/echo two words",
        "/no/such/program",
        "",
        "/usr/bin/printf 'a\\nb'",
        "/bin/echo tökén",
    ],
)
def test_what_prints_no_token_gives_none(words):
    with pytest.raises(CannotMint, match="token command") as caught:
        mint(CommandIssuer(words, RESOURCE, lambda: NOW, {}))
    assert "two words" not in str(caught.value)


def test_an_opaque_token_can_be_shown_and_nothing_else():
    issuer = CommandIssuer("/bin/echo opaque-token", RESOURCE, lambda: NOW, {})
    assert mint(issuer, ()) == "opaque-token"
    with pytest.raises(CannotMint, match="exactly the scopes"):
        mint(issuer, ("orders:read",))
    with pytest.raises(CannotMint, match="opaque"):
        mint(issuer, key=SimulatedIssuer({RESOURCE: ()}).keys.active())
    with pytest.raises(CannotMint, match="opaque"):
        issuer.active()


@pytest.mark.parametrize("token", ["e30.e30.", "a.b.c", "....", "e30.W10.c2ln", "eyJhbGciOiJFUzI1NiJ9.e30.x"])
@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.id.startswith(("signature", "credentials"))],
    ids=lambda case: case.id,
)
def test_whatever_a_token_is_made_of_a_case_is_made_of_it_or_is_not_run(token, case):
    issuer = CommandIssuer(f"/bin/echo {token}", RESOURCE, lambda: NOW, {})
    target = Target(name="add", method="tools/call", params={"name": "add", "arguments": {}}, scopes=())
    probed = probed_of(RESOURCE, target, issuer)
    with suppress(CannotMint):
        if case.applies(probed):
            draft = good_draft(probed, probed.target, "2026-07-28", 1)
            case.change(draft)
            assert draft.request(draft.token()).headers
