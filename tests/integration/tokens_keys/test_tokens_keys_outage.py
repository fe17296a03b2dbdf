"""The issuer goes away, cold and warm and for too long, and comes back."""

import asyncio
import time
from itertools import pairwise

import pytest
from tokens_court import AUDIENCE, GOOD, NOW, SCOPES, UNAVAILABLE, UNKNOWN, Clock, Court, policy

from launchworthy.testing.issuer import Fault, SimulatedIssuer
from launchworthy.tokens import KeyEventKind
from launchworthy.vocabulary import EX_TEMPFAIL, Reason, StartupRefused


def test_nothing_starts_without_keys(issuer: SimulatedIssuer, clock: Clock, runner: asyncio.Runner) -> None:
    issuer.stop()
    court = Court(runner, clock, policy(issuer))
    with pytest.raises(StartupRefused) as refusal:
        court.start(deadline=1)
    assert (refusal.value.stage, refusal.value.exit_code) == ("issuers", EX_TEMPFAIL)
    assert "no connection" in refusal.value.problems[0].what
    assert court.failures() != []


def test_a_start_waits_until_the_issuer_is_there(
    issuer: SimulatedIssuer, clock: Clock, runner: asyncio.Runner
) -> None:
    issuer.faults.keys = Fault.STATUS_500
    court = Court(runner, clock, policy(issuer, key_spacing=1))

    async def start_while_it_recovers() -> None:
        started = asyncio.create_task(court.verifier.start(10))
        while not court.failures():  # noqa: ASYNC110 - bounded by the start's own deadline
            await asyncio.sleep(0.01)
        issuer.faults.clear()
        clock.elapsed += 1
        await started

    runner.run(start_while_it_recovers())
    assert court.outcome(issuer.mint()) == GOOD
    court.close()


def test_an_outage_that_began_before_the_first_key_is_one_request_and_503(
    issuer: SimulatedIssuer, clock: Clock, runner: asyncio.Runner
) -> None:
    issuer.faults.keys = Fault.STATUS_500
    court = Court(runner, clock, policy(issuer, jwks_uri=issuer.jwks_uri))
    tokens = [issuer.mint() for _ in range(200)]
    assert court.outcomes(tokens) == {UNAVAILABLE}
    assert issuer.counts["keys"] == 1
    assert 1 <= (court.refusal(tokens[0]).retry_after or 0) <= 10
    issuer.faults.clear()
    clock.elapsed += 10
    assert court.outcomes([issuer.mint() for _ in range(50)]) == {GOOD}
    assert issuer.counts["keys"] == 2
    court.close()


def test_in_an_outage_the_last_keys_serve_until_the_stale_limit_and_not_a_second_longer(
    court: Court, issuer: SimulatedIssuer, clock: Clock
) -> None:
    issuer.faults.keys = Fault.STATUS_500
    for elapsed in (0, 239, 299, 301, 600, 1199):
        clock.elapsed = elapsed
        assert court.outcome(issuer.mint()) == GOOD
        court.settle()
    assert court.verifier.status()[0].usable
    assert not court.verifier.status()[0].fresh
    clock.elapsed = 1200
    refusal = court.refusal(issuer.mint())
    assert refusal.reason == UNAVAILABLE
    assert 1 <= (refusal.retry_after or 0) <= 60
    assert not court.verifier.status()[0].usable


def test_a_remembered_token_ends_with_the_stale_limit_too(
    court: Court, issuer: SimulatedIssuer, clock: Clock
) -> None:
    issuer.faults.keys = Fault.STATUS_500
    clock.elapsed = 1190
    token = issuer.mint()
    assert court.outcome(token) == GOOD
    clock.elapsed = 1199
    assert court.outcome(token) == GOOD
    clock.elapsed = 1200
    assert court.outcome(token) == UNAVAILABLE


def test_recovery_needs_no_restart(court: Court, issuer: SimulatedIssuer, clock: Clock) -> None:
    issuer.stop()
    clock.elapsed = 1300
    assert court.outcome(issuer.mint()) == UNAVAILABLE
    issuer.start()
    clock.elapsed += 10
    assert court.outcome(issuer.mint()) == GOOD
    assert court.verifier.status()[0].fresh
    assert court.verifier.status()[0].detail == ""


def test_failures_back_off_to_a_minute_and_never_stop(
    court: Court, issuer: SimulatedIssuer, clock: Clock
) -> None:
    issuer.faults.keys = Fault.STATUS_500
    attempts = []
    for second in range(1300, 1700):
        clock.elapsed = second
        before = issuer.counts["keys"]
        court.outcome(issuer.mint())
        if issuer.counts["keys"] > before:
            attempts.append(second)
    gaps = [later - earlier for earlier, later in pairwise(attempts)]
    assert gaps == [10, 20, 40, 60, 60, 60, 60, 60]


def test_a_key_that_is_new_during_an_outage_is_503_and_not_401(
    court: Court, issuer: SimulatedIssuer, clock: Clock
) -> None:
    issuer.keys.rotate()
    issuer.faults.keys = Fault.STATUS_500
    clock.elapsed = 20
    assert court.outcome(issuer.mint()) == UNAVAILABLE
    issuer.faults.clear()
    clock.elapsed = 60
    assert court.outcome(issuer.mint()) == GOOD
    assert court.outcome(issuer.mint(header={"kid": "nobody"})) == UNKNOWN


def test_while_the_issuer_hangs_known_keys_do_not_wait(
    court: Court, issuer: SimulatedIssuer, clock: Clock
) -> None:
    issuer.faults.keys = Fault.STATUS_500
    clock.elapsed = 301
    assert court.outcome(issuer.mint()) == GOOD
    issuer.faults.keys = Fault.HANG
    clock.elapsed = 400
    began = time.perf_counter()
    assert court.outcome(issuer.mint()) == GOOD
    assert time.perf_counter() - began < 3


def test_every_failure_is_an_event_with_its_cause(
    court: Court, issuer: SimulatedIssuer, clock: Clock
) -> None:
    issuer.faults.keys = Fault.EMPTY
    clock.elapsed = 301
    assert court.outcome(issuer.mint()) == GOOD
    event = court.events[-1]
    assert event.kind is KeyEventKind.REFRESH_FAILED
    assert (event.name, event.issuer, event.jwks_uri) == ("simulated", issuer.issuer, issuer.jwks_uri)
    assert "the set is empty" in event.detail
    assert event.detail.endswith(
        "failing for 0 s, and the last good keys are 301 s old and count for 899 s more"
    )
    clock.elapsed = 401
    assert court.outcome(issuer.mint()) == GOOD
    court.settle()
    assert "failing for 100 s, and the last good keys are 401 s old" in court.events[-1].detail
    clock.elapsed = 1300
    assert court.outcome(issuer.mint()) == UNAVAILABLE
    assert court.events[-1].detail.endswith("count no more")


def test_a_jump_of_the_clock_does_not_revive_old_keys(
    court: Court, issuer: SimulatedIssuer, clock: Clock
) -> None:
    issuer.faults.keys = Fault.STATUS_500
    clock.elapsed = 86_400 * 365
    assert court.outcome(issuer.mint()) == UNAVAILABLE


def test_the_server_starts_with_one_of_two_issuers_and_the_other_comes_later(
    issuer: SimulatedIssuer, clock: Clock, runner: asyncio.Runner
) -> None:
    other = SimulatedIssuer({AUDIENCE: SCOPES}, clock=clock.wall)
    court = Court(runner, clock, policy(issuer), policy(other, name="other"))
    court.start(deadline=5)
    assert [status.usable for status in court.verifier.status()] == [True, False]
    assert court.outcome(issuer.mint()) == GOOD
    assert court.outcome(other.mint()) == UNAVAILABLE
    with other:
        clock.elapsed += 10
        assert court.outcome(other.mint()) == GOOD
    court.close()


def test_keys_are_renewed_in_the_background_without_any_request(
    issuer: SimulatedIssuer, runner: asyncio.Runner
) -> None:
    clock = Clock()
    court = Court(runner, clock, policy(issuer, key_fresh=1, key_spacing=1))
    court.start()

    async def wait_for_renewals() -> None:
        async with asyncio.timeout(10):
            while issuer.counts["keys"] < 2 or not court.verifier.status()[0].fresh:
                clock.elapsed += issuer.counts["keys"] < 2  # then it is asked for, and not yet answered
                await asyncio.sleep(0.05)

    runner.run(wait_for_renewals())
    court.close()


def test_a_failure_that_nobody_thought_of_is_a_failed_attempt(
    issuer: SimulatedIssuer, clock: Clock, runner: asyncio.Runner
) -> None:
    async def broken(_host: str, _port: int) -> tuple[str, ...]:
        raise KeyError("resolver")

    court = Court(runner, clock, policy(issuer), resolve=broken)
    assert court.outcome(issuer.mint()) == UNAVAILABLE
    [told] = court.failures()
    assert told.startswith("the attempt failed with KeyError; ")
    court.close()


@pytest.mark.parametrize("error", [RecursionError, TypeError, OverflowError, MemoryError])
def test_whatever_goes_wrong_in_verification_is_a_refusal(
    issuer: SimulatedIssuer, clock: Clock, runner: asyncio.Runner, error: type[Exception]
) -> None:
    court = Court(runner, clock, policy(issuer))
    court.start()
    token = issuer.mint()
    assert court.outcome(token) == GOOD
    clock.broken = error()
    assert court.outcome(token) == Reason.TOKEN_MALFORMED
    assert court.refusal(token).detail == f"verification ended in {error.__name__}"
    clock.broken = None
    assert court.outcome(token) == GOOD
    court.close()


def test_closing_lets_go_of_a_request_that_hangs(court: Court, issuer: SimulatedIssuer, clock: Clock) -> None:
    issuer.faults.keys = Fault.HANG
    clock.elapsed = 250
    assert court.outcome(issuer.mint()) == GOOD
    began = time.perf_counter()
    court.close()
    assert time.perf_counter() - began < 3
    assert int(clock.wall()) == NOW + 250


def test_an_issuer_that_flaps_costs_good_callers_nothing(
    court: Court, issuer: SimulatedIssuer, clock: Clock
) -> None:
    faults = (
        Fault.STATUS_500,
        Fault.GARBAGE,
        Fault.EMPTY,
        Fault.REDIRECT,
        Fault.NONE,
        Fault.HTML,
        Fault.NONE,
    )
    for number in range(140):
        clock.elapsed += 10
        issuer.faults.keys = faults[number % len(faults)]
        known, unknown = issuer.mint(), issuer.mint(header={"kid": f"invented-{number}"})
        assert court.outcome(known) == GOOD
        assert court.outcome(unknown) in (UNKNOWN, UNAVAILABLE)
        court.settle()
    assert issuer.counts["keys"] <= 142
    issuer.faults.clear()
    clock.elapsed += 60
    assert court.outcome(issuer.mint()) == GOOD
    assert court.verifier.status()[0].fresh
