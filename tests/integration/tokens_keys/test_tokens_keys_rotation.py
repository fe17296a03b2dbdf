"""Keys come and go; a flood of invented ones costs the issuer nothing; issuers do not share."""

import asyncio
import secrets
from typing import Any

import pytest
from tokens_court import AUDIENCE, GOOD, SCOPES, UNKNOWN, Clock, Court, policy

from launchworthy.testing.issuer import Fault, SimulatedIssuer
from launchworthy.testing.issuer_keys import generate_key
from launchworthy.tokens import KeyEventKind
from launchworthy.tokens.verified_tokens import MAX_TOKENS, Verified
from launchworthy.vocabulary import BearerToken, Principal, Reason, TokenDigest


def test_200_random_kids_cause_no_request(court: Court, issuer: SimulatedIssuer, clock: Clock) -> None:
    before = issuer.counts["keys"], issuer.counts["discovery"]
    clock.elapsed = 9
    strangers = [issuer.mint(header={"kid": secrets.token_hex(8)}) for _ in range(200)]
    assert court.outcomes(strangers) == {UNKNOWN}
    assert (issuer.counts["keys"], issuer.counts["discovery"]) == before


def test_random_kids_cause_at_most_one_request_in_ten_seconds(
    court: Court, issuer: SimulatedIssuer, clock: Clock
) -> None:
    before = issuer.counts["keys"]
    for second in range(20, 80):
        clock.elapsed = second
        strangers = [issuer.mint(header={"kid": secrets.token_hex(8)}) for _ in range(10)]
        assert court.outcomes([*strangers, issuer.mint()]) == {UNKNOWN, GOOD}
    assert issuer.counts["keys"] - before == 6


def test_an_unknown_issuer_causes_no_request(court: Court, issuer: SimulatedIssuer, clock: Clock) -> None:
    other = SimulatedIssuer({AUDIENCE: SCOPES}, clock=clock.wall)
    before = issuer.counts["keys"], issuer.counts["discovery"]
    clock.elapsed = 250
    with other:
        assert court.outcomes([other.mint() for _ in range(20)]) == {Reason.TOKEN_ISSUER}
        assert (other.counts["keys"], other.counts["discovery"]) == (0, 0)
    assert (issuer.counts["keys"], issuer.counts["discovery"]) == before


def test_garbage_and_tokens_for_others_cause_no_request(
    court: Court, issuer: SimulatedIssuer, clock: Clock
) -> None:
    before = issuer.counts["keys"]
    clock.elapsed = 100
    stranger: dict[str, Any] = {"header": {"kid": "nobody"}}
    assert (
        court.outcome(issuer.mint(**stranger, claims={"aud": "https://other.example"}))
        == Reason.TOKEN_AUDIENCE
    )
    assert court.outcome(issuer.mint(**stranger, claims={"exp": 5})) == Reason.TOKEN_EXPIRED
    assert court.outcome(issuer.mint(header={"kid": "nobody", "alg": "HS256"})) == Reason.TOKEN_ALGORITHM
    assert issuer.counts["keys"] == before
    assert court.outcome(issuer.mint(**stranger)) == UNKNOWN
    assert issuer.counts["keys"] == before + 1


def test_50_requests_for_a_new_key_are_one_request_to_the_issuer(
    court: Court, issuer: SimulatedIssuer, clock: Clock
) -> None:
    before = issuer.counts["keys"]
    clock.elapsed = 20
    issuer.keys.rotate()
    assert court.outcomes([issuer.mint() for _ in range(50)]) == {GOOD}
    assert issuer.counts["keys"] == before + 1


def test_rotation_keeps_old_tokens_good_while_their_key_is_published(
    court: Court, issuer: SimulatedIssuer, clock: Clock
) -> None:
    old = issuer.mint()
    kid = issuer.keys.rotate()
    assert court.outcome(issuer.mint()) == UNKNOWN
    clock.elapsed = 10
    assert court.outcome(issuer.mint()) == GOOD
    assert court.outcome(old) == GOOD
    assert court.events[-1].added == (kid,)
    assert court.events[-1].removed == ()


def test_a_withdrawn_key_stops_verifying_within_300_seconds_remembered_or_not(
    court: Court, issuer: SimulatedIssuer, clock: Clock
) -> None:
    stolen = issuer.keys.active()
    clock.elapsed = 239
    remembered = issuer.mint(key=stolen)
    assert court.outcome(remembered) == GOOD
    issuer.keys.rotate()
    issuer.keys.withdraw(stolen.kid)
    clock.elapsed = 300
    assert court.outcome(remembered) == UNKNOWN
    assert court.outcome(issuer.mint(key=stolen)) == UNKNOWN
    assert court.outcome(issuer.mint()) == GOOD
    assert court.events[-1].removed == (stolen.kid,)


def test_a_withdrawn_key_takes_remembered_tokens_with_it_at_the_next_refresh(
    court: Court, issuer: SimulatedIssuer, clock: Clock
) -> None:
    stolen = issuer.keys.active()
    clock.elapsed = 20
    remembered = issuer.mint(key=stolen)
    assert court.outcome(remembered) == GOOD
    issuer.keys.rotate()
    issuer.keys.withdraw(stolen.kid)
    assert court.outcome(remembered) == GOOD
    assert court.outcome(issuer.mint()) == GOOD
    assert court.outcome(remembered) == UNKNOWN


def test_a_withdrawal_without_a_new_key_ends_remembered_tokens_as_well(
    court: Court, issuer: SimulatedIssuer, clock: Clock
) -> None:
    stolen = issuer.keys.active()
    issuer.keys.rotate()
    clock.elapsed = 250
    assert court.outcome(issuer.mint()) == GOOD
    court.settle()
    clock.elapsed = 480
    remembered = issuer.mint(key=stolen)
    assert court.outcome(remembered) == GOOD
    issuer.keys.withdraw(stolen.kid)
    clock.elapsed = 500
    court.outcome(issuer.mint())
    court.settle()
    assert (court.events[-1].added, court.events[-1].removed) == ((), (stolen.kid,))
    assert court.outcome(remembered) == UNKNOWN


def test_keys_are_renewed_ahead_while_requests_go_on(
    court: Court, issuer: SimulatedIssuer, clock: Clock
) -> None:
    clock.elapsed = 239
    assert court.outcome(issuer.mint()) == GOOD
    court.settle()
    assert issuer.counts["keys"] == 1
    clock.elapsed = 240
    assert court.outcome(issuer.mint()) == GOOD
    court.settle()
    assert issuer.counts["keys"] == 2


def test_a_kid_that_stands_for_another_key_ends_the_old_one(
    court: Court, issuer: SimulatedIssuer, clock: Clock
) -> None:
    old = issuer.keys.active()
    token = issuer.mint()
    assert court.outcome(token) == GOOD
    new = generate_key("ES256", old.kid)
    issuer.faults.key_document = {"keys": [new.public()]}
    clock.elapsed = 300
    assert court.outcome(token) == Reason.TOKEN_SIGNATURE
    assert court.outcome(issuer.mint(key=new)) == GOOD
    assert (court.events[-1].added, court.events[-1].removed) == ((old.kid,), (old.kid,))


def test_an_unchanged_set_is_no_event(court: Court, issuer: SimulatedIssuer, clock: Clock) -> None:
    assert [event.kind for event in court.events] == [KeyEventKind.CHANGED]
    clock.elapsed = 300
    assert court.outcome(issuer.mint()) == GOOD
    assert issuer.counts["keys"] == 2
    assert len(court.events) == 1


@pytest.mark.parametrize("fault", [Fault.EMPTY, Fault.GARBAGE, Fault.HTML, Fault.GZIP, Fault.NOT_FOUND])
def test_a_broken_set_does_not_replace_a_good_one(
    court: Court, issuer: SimulatedIssuer, clock: Clock, fault: Fault
) -> None:
    issuer.faults.keys = fault
    clock.elapsed = 300
    assert court.outcome(issuer.mint()) == GOOD
    assert len(court.failures()) == 1
    issuer.faults.clear()
    clock.elapsed = 320
    court.outcome(issuer.mint(header={"kid": "nobody"}))
    assert court.verifier.status()[0].fresh


def test_unusable_keys_beside_good_ones_are_named_and_not_used(
    court: Court, issuer: SimulatedIssuer, clock: Clock
) -> None:
    encryption = generate_key("ES256", "for-encryption")
    issuer.keys.also_publish({**encryption.public(), "use": "enc"})
    clock.elapsed = 300
    assert court.outcome(issuer.mint(key=encryption)) == Reason.TOKEN_KEY
    assert court.outcome(issuer.mint()) == GOOD
    clock.elapsed = 320
    before = issuer.counts["keys"]
    assert court.outcome(issuer.mint(key=encryption)) == Reason.TOKEN_KEY
    assert issuer.counts["keys"] == before
    assert court.events[-1].ignored == ("for-encryption",)
    assert court.events[-1].detail == "`for-encryption`: its `use` is `enc`"


def test_issuers_with_equal_kids_do_not_sign_for_each_other(
    issuer: SimulatedIssuer, clock: Clock, runner: asyncio.Runner
) -> None:
    with SimulatedIssuer({AUDIENCE: SCOPES}, clock=clock.wall) as other:
        court = Court(runner, clock, policy(issuer), policy(other, name="other"))
        court.start()
        assert issuer.keys.active().kid == other.keys.active().kid
        assert court.outcome(issuer.mint()) == GOOD
        assert court.outcome(other.mint()) == GOOD
        assert court.outcome(issuer.mint(key=other.keys.active())) == Reason.TOKEN_SIGNATURE
        assert court.outcome(issuer.mint(claims={"iss": other.issuer})) == Reason.TOKEN_SIGNATURE
        other.keys.rotate()
        assert court.outcome(issuer.mint(key=other.keys.active())) == UNKNOWN
        court.close()


def test_issuers_have_policies_of_their_own(
    issuer: SimulatedIssuer, clock: Clock, runner: asyncio.Runner
) -> None:
    with SimulatedIssuer({AUDIENCE: SCOPES}, algorithms=("RS256",), clock=clock.wall) as other:
        strict = policy(other, name="other", algorithms=("RS256",), max_lifetime=60)
        court = Court(runner, clock, policy(issuer, algorithms=("ES256",)), strict)
        court.start()
        assert court.outcome(issuer.mint()) == GOOD
        assert court.outcome(other.mint()) == Reason.TOKEN_LIFETIME
        assert court.outcome(other.mint(claims={"exp": int(clock.wall()) + 60})) == GOOD
        crossed = {"alg": "ES256", "kid": issuer.keys.active().kid}
        assert court.outcome(other.mint(header=crossed)) == Reason.TOKEN_ALGORITHM
        court.close()


def test_a_remembered_token_ends_when_it_ends(court: Court, issuer: SimulatedIssuer, clock: Clock) -> None:
    token = issuer.mint(claims={"exp": int(clock.wall()) + 20})
    assert court.outcome(token) == GOOD
    clock.elapsed = 49
    assert court.outcome(token) == GOOD
    clock.elapsed = 50
    assert court.outcome(token) == Reason.TOKEN_EXPIRED


def test_a_token_is_remembered_for_a_minute(court: Court, issuer: SimulatedIssuer, clock: Clock) -> None:
    token = BearerToken(issuer.mint())
    assert court.outcome(token.reveal()) == GOOD
    now = int(clock.wall())
    assert court.verifier._verified.find(token.digest, 0, now + 59) is not None
    assert court.verifier._verified.find(token.digest, 0, now + 60) is None
    assert len(court.verifier._verified) == 0


def test_failures_are_never_remembered(court: Court, issuer: SimulatedIssuer, clock: Clock) -> None:
    early = issuer.mint(claims={"nbf": int(clock.wall()) + 35})
    assert court.outcome(early) == Reason.TOKEN_NOT_YET
    assert len(court.verifier._verified) == 0
    clock.elapsed = 5
    assert court.outcome(early) == GOOD


def test_what_is_remembered_is_bounded(court: Court, issuer: SimulatedIssuer) -> None:
    first = issuer.mint()
    principal = court.runner.run(_verified(court, first))
    memory, keys = court.verifier._verified, next(iter(court.verifier._issuers.values())).keys
    for number in range(MAX_TOKENS + 50):
        now = int(court.clock.wall())
        memory.keep(TokenDigest(str(number)), Verified(principal, keys, (keys.generation, 0), now, now + 60))
    assert len(memory) == MAX_TOKENS
    assert court.outcome(first) == GOOD


async def _verified(court: Court, token: str) -> Principal:
    return await court.verifier.verify(BearerToken(token), int(court.clock.wall()))


def test_a_clock_that_was_set_back_extends_nothing(
    court: Court, issuer: SimulatedIssuer, clock: Clock
) -> None:
    clock.elapsed = 40
    token = issuer.mint()
    assert court.outcome(token) == GOOD
    court.clock.elapsed = 0
    assert court.outcome(token) == Reason.TOKEN_NOT_YET


def test_a_caller_that_leaves_does_not_take_the_request_to_the_issuer_with_it(
    court: Court, issuer: SimulatedIssuer, clock: Clock, runner: asyncio.Runner
) -> None:
    clock.elapsed = 20
    issuer.keys.rotate()
    token = issuer.mint()

    async def leave_and_stay() -> Principal:
        leaving = asyncio.create_task(_verified(court, token))
        staying = asyncio.create_task(_verified(court, token))
        await asyncio.sleep(0)
        leaving.cancel()
        return await staying

    assert runner.run(leave_and_stay()).issuer == issuer.issuer
