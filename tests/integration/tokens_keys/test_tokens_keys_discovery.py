"""Discovery believes an issuer only about itself, and no document leads or keeps us anywhere else."""

import asyncio
from typing import Any

import pytest
from tokens_court import AUDIENCE, GOOD, SCOPES, UNAVAILABLE, Clock, Court, policy

from launchworthy.testing.issuer import Fault, SimulatedIssuer
from launchworthy.tokens import KeyEventKind
from launchworthy.tokens.fetch import system_network
from launchworthy.vocabulary import EX_CONFIG, StartupRefused


def refused_start(court: Court, deadline: float = 1) -> StartupRefused:
    with pytest.raises(StartupRefused) as refusal:
        court.start(deadline)
    return refusal.value


@pytest.mark.parametrize("path", ["", "/tenant", "/a/b"])
def test_an_issuer_is_found_at_its_well_known_places(path: str, clock: Clock, runner: asyncio.Runner) -> None:
    with SimulatedIssuer({AUDIENCE: SCOPES}, clock=clock.wall, path=path) as issuer:
        court = Court(runner, clock, policy(issuer))
        court.start()
        assert court.outcome(issuer.mint()) == GOOD
        assert issuer.counts["discovery"] == 1
        court.close()


@pytest.mark.parametrize("places", [1, 2])
def test_a_place_without_metadata_leads_to_the_next(
    places: int, clock: Clock, runner: asyncio.Runner
) -> None:
    with SimulatedIssuer({AUDIENCE: SCOPES}, clock=clock.wall, path="/tenant") as issuer:
        issuer.faults.missing_places = places
        court = Court(runner, clock, policy(issuer))
        court.start()
        assert court.outcome(issuer.mint()) == GOOD
        assert issuer.counts["discovery"] == places + 1
        court.close()


def test_a_pinned_address_needs_no_discovery(
    issuer: SimulatedIssuer, clock: Clock, runner: asyncio.Runner
) -> None:
    court = Court(runner, clock, policy(issuer, jwks_uri=issuer.jwks_uri))
    court.start()
    assert court.outcome(issuer.mint()) == GOOD
    assert issuer.counts["discovery"] == 0
    court.close()


@pytest.mark.parametrize(
    "wrong", ["{issuer}/", "{ISSUER}", "https://login.acme.example", "", None, ["{issuer}"]]
)
def test_metadata_of_another_issuer_stop_the_start_for_good(
    issuer: SimulatedIssuer, clock: Clock, runner: asyncio.Runner, wrong: Any
) -> None:
    if isinstance(wrong, str):
        wrong = wrong.format(issuer=issuer.issuer, ISSUER=issuer.issuer.upper())
    issuer.faults.metadata = {"issuer": wrong}
    refusal = refused_start(Court(runner, clock, policy(issuer)))
    assert (refusal.exit_code, refusal.problems[0].reason) == (EX_CONFIG, "wrong-issuer")
    assert refusal.problems[0].field == "issuers.simulated.issuer"
    assert issuer.counts["keys"] == 0


@pytest.mark.parametrize(
    "uri",
    [
        "http://login.acme.example/keys",
        "https://login.acme.example/keys",
        "https://169.254.169.254/latest/meta-data",
        "http://127.0.0.1:1/keys",
        "file:///etc/passwd",
        None,
    ],
)
def test_keys_anywhere_but_on_the_issuers_host_stop_the_start_for_good(
    issuer: SimulatedIssuer, clock: Clock, runner: asyncio.Runner, uri: str | None
) -> None:
    issuer.faults.metadata = {"jwks_uri": uri}
    refusal = refused_start(Court(runner, clock, policy(issuer)))
    assert (refusal.exit_code, refusal.problems[0].reason) == (EX_CONFIG, "issuer-endpoint")
    assert issuer.counts["keys"] == 0


BROKEN = {
    Fault.STATUS_500: "answered 500",
    Fault.NOT_FOUND: "answered 404",
    Fault.GARBAGE: "not JSON",
    Fault.HTML: "not JSON",
    Fault.GZIP: "compressed",
    Fault.REDIRECT: "answered 302",
    Fault.HUGE: "longer than 65536",
}


@pytest.mark.parametrize("endpoint", ["keys", "discovery"])
@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_endpoint_is_an_error_and_leads_nowhere(
    cold: Court, issuer: SimulatedIssuer, clock: Clock, endpoint: str, fault: Fault
) -> None:
    setattr(issuer.faults, endpoint, fault)
    assert cold.outcome(issuer.mint()) == UNAVAILABLE
    assert BROKEN[fault] in cold.failures()[0]
    assert issuer.counts["redirected"] == 0
    issuer.faults.clear()
    clock.elapsed += 60
    assert cold.outcome(issuer.mint()) == GOOD


@pytest.mark.parametrize("fault", [Fault.DRIP, Fault.HANG])
@pytest.mark.parametrize("endpoint", ["keys", "discovery"])
def test_an_endless_answer_is_given_up(
    issuer: SimulatedIssuer, clock: Clock, runner: asyncio.Runner, fault: Fault, endpoint: str
) -> None:
    setattr(issuer.faults, endpoint, fault)
    court = Court(runner, clock, policy(issuer), seconds=0.3)
    assert court.outcome(issuer.mint()) == UNAVAILABLE
    assert court.failures() == ["no whole answer within 0.3 s; failing for 0 s, and there are no keys yet"]
    court.close()


def test_five_seconds_are_all_an_issuer_gets() -> None:
    assert system_network().seconds == 5


def test_a_changed_address_is_an_event(court: Court, issuer: SimulatedIssuer, clock: Clock) -> None:
    clock.elapsed = 24 * 3600 + 1
    issuer.faults.metadata = {"jwks_uri": f"{issuer.jwks_uri}?moved"}
    assert court.outcome(issuer.mint()) == GOOD
    event = court.events[-1]
    assert (event.kind, event.added, event.removed) == (KeyEventKind.CHANGED, (), ())
    assert event.jwks_uri == f"{issuer.jwks_uri}?moved"
    assert event.detail == f"the address changed from `{issuer.jwks_uri}` to `{issuer.jwks_uri}?moved`"


def test_metadata_are_read_once_a_day(court: Court, issuer: SimulatedIssuer, clock: Clock) -> None:
    for hour in range(1, 24):
        clock.elapsed = hour * 3600
        assert court.outcome(issuer.mint()) == GOOD
    assert issuer.counts["discovery"] == 1
    clock.elapsed = 24 * 3600
    assert court.outcome(issuer.mint()) == GOOD
    assert issuer.counts["discovery"] == 2


def test_after_a_failure_the_metadata_are_asked_whether_the_keys_have_moved(
    court: Court, issuer: SimulatedIssuer, clock: Clock
) -> None:
    issuer.faults.keys = Fault.NOT_FOUND
    clock.elapsed = 300
    assert court.outcome(issuer.mint()) == GOOD
    issuer.faults.keys = Fault.NONE
    issuer.faults.metadata = {"jwks_uri": f"{issuer.jwks_uri}?moved"}
    clock.elapsed = 310
    assert court.outcome(issuer.mint()) == GOOD
    court.settle()
    assert court.verifier.status()[0].fresh
    assert court.events[-1].jwks_uri == f"{issuer.jwks_uri}?moved"


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "::1"])
def test_in_the_real_world_an_issuer_on_this_machine_stops_the_start_for_good(
    issuer: SimulatedIssuer, clock: Clock, runner: asyncio.Runner, address: str
) -> None:
    async def resolve(_host: str, _port: int) -> tuple[str, ...]:
        return (address,)

    real = policy(issuer, issuer="https://login.acme.example", allow_loopback_http=False)
    refusal = refused_start(Court(runner, clock, real, resolve=resolve))
    assert (refusal.exit_code, refusal.problems[0].reason) == (EX_CONFIG, "issuer-endpoint")
    assert "where we do not connect" in refusal.problems[0].what


@pytest.mark.parametrize("fault", [Fault.STATUS_500, Fault.HANG])
def test_without_metadata_a_known_address_goes_on_serving(
    issuer: SimulatedIssuer, clock: Clock, runner: asyncio.Runner, fault: Fault
) -> None:
    court = Court(runner, clock, policy(issuer), seconds=1)
    court.start()
    issuer.faults.discovery = fault
    clock.elapsed = 24 * 3600
    assert court.outcome(issuer.mint()) == GOOD
    assert court.verifier.status()[0].fresh
    court.close()


def test_metadata_that_turn_into_another_issuers_end_in_503(
    court: Court, issuer: SimulatedIssuer, clock: Clock
) -> None:
    issuer.faults.metadata = {"issuer": "https://evil.example"}
    clock.elapsed = 24 * 3600
    assert court.outcome(issuer.mint()) == "keys.unavailable"
    assert "another" not in court.refusal(issuer.mint()).detail
    assert "`https://evil.example`" in court.failures()[-1]
