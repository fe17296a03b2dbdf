"""An exception ends while the server runs: from that second on the rule holds, remembered tokens or not."""

import asyncio
from typing import Any

import pytest
from tokens_court import GOOD, NOW, Clock, Court, policy

from launchworthy.testing.issuer import ABSENT, SimulatedIssuer
from launchworthy.tokens import ExceptionRule, IssuerException
from launchworthy.vocabulary import Reason


def until(seconds: int, rule: str, value: str | None) -> tuple[IssuerException, ...]:
    return (IssuerException(rule=ExceptionRule(rule), value=value, until=NOW + seconds),)


@pytest.mark.parametrize(
    ("exception", "changes", "reason"),
    [
        (("typ", "JWT"), {"header": {"typ": "JWT"}}, Reason.TOKEN_TYPE),
        (("typ", "absent"), {"header": {"typ": ABSENT}}, Reason.TOKEN_TYPE),
        (("audience", "orders-id"), {"claims": {"aud": "orders-id"}}, Reason.TOKEN_AUDIENCE),
        (("client", "azp"), {"claims": {"azp": "agent", "client_id": ABSENT}}, Reason.TOKEN_CLAIMS),
        (("jti", "uti"), {"claims": {"uti": "x", "jti": ABSENT}}, Reason.TOKEN_CLAIMS),
        (
            ("several_audiences", None),
            {"claims": {"aud": ["https://orders.acme.example/mcp", "x"]}},
            Reason.TOKEN_AUDIENCE,
        ),
    ],
)
def test_an_exception_that_ends_while_the_server_runs_is_not_applied_any_more(  # noqa: PLR0917
    issuer: SimulatedIssuer,
    clock: Clock,
    runner: asyncio.Runner,
    exception: tuple[str, str | None],
    changes: dict[str, Any],
    reason: Reason,
) -> None:
    court = Court(runner, clock, policy(issuer, exceptions=until(20, *exception)))
    court.start()
    token = issuer.mint(**changes)
    assert court.outcome(token) == GOOD
    clock.elapsed = 19
    assert court.outcome(token) == GOOD
    clock.elapsed = 20
    assert court.outcome(token) == reason
    clock.elapsed = 10
    assert court.outcome(token) == reason, "a clock that is set back brings nothing back"
    assert court.outcome(issuer.mint()) == GOOD
    court.close()


def test_an_exception_is_its_own_issuers_and_nobody_elses(
    issuer: SimulatedIssuer, clock: Clock, runner: asyncio.Runner
) -> None:
    with SimulatedIssuer({"https://orders.acme.example/mcp": ()}, clock=clock.wall) as other:
        court = Court(
            runner,
            clock,
            policy(issuer, exceptions=until(3600, "typ", "JWT")),
            policy(other, name="other", exceptions=until(3600, "typ", "absent")),
        )
        court.start()
        untyped, typed = {"header": {"typ": ABSENT}}, {"header": {"typ": "JWT"}}
        assert (court.outcome(issuer.mint(**typed)), court.outcome(other.mint(**untyped))) == (GOOD, GOOD)
        assert court.outcome(issuer.mint(**untyped)) == Reason.TOKEN_TYPE
        assert court.outcome(other.mint(**typed)) == Reason.TOKEN_TYPE
        court.close()
