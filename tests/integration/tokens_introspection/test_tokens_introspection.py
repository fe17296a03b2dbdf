"""An opaque token goes to its one issuer, and what that says of it is judged as claims are."""

import asyncio
from typing import Any

import pytest
from introspection_court import GOOD, NOW, Clock, Court

from launchworthy.testing.issuer import Fault, SimulatedIssuer
from launchworthy.vocabulary import EX_CONFIG, BearerToken, Principal, Reason, Refused, StartupRefused

UNAVAILABLE = Reason.KEYS_UNAVAILABLE


def test_an_opaque_token_is_whose_its_issuer_says(court: Court, issuer: SimulatedIssuer) -> None:
    caller = court.answer(issuer.mint_opaque(sub="alice", act={"sub": "agent"}))
    assert isinstance(caller, Principal)
    assert (caller.issuer, caller.subject, caller.actors) == (issuer.issuer, "alice", ("agent",))
    assert caller.scopes == {"orders:read"}
    assert court.assertions.audiences == [issuer.issuer]


def test_a_jwt_is_never_sent_to_anyone(court: Court, issuer: SimulatedIssuer, other: SimulatedIssuer) -> None:
    assert court.outcome(other.mint()) == GOOD
    assert court.outcome(issuer.mint()) == GOOD
    stranger = other.mint(claims={"iss": "https://stranger.example"})
    header, payload, signature = stranger.split(".")
    for token in (
        stranger,
        f"{header}.{payload}",
        f"{header}.{payload}.",
        f"{header}==.{payload}.{signature}",
        f"{header}.{payload}.{signature}.x.y",
        f"{header[:-1]}.{payload}.{signature}",
        f"IHsi{header}.{payload}.{signature}",
        f"77u_{header}.{payload}.{signature}",
        f"77u/{header}.{payload}.{signature}",
    ):
        assert court.outcome(token) not in (GOOD, Reason.TOKEN_INACTIVE), token
    assert (issuer.opaque.asked, other.opaque.asked) == ([], [])
    assert court.outcome(issuer.mint_opaque()) == GOOD


def test_an_opaque_token_goes_to_the_issuer_that_introspects_and_to_no_other(
    court: Court, issuer: SimulatedIssuer, other: SimulatedIssuer
) -> None:
    for token in ("x", "glpat-aaaa.01.bbbb", "a.b.c", "....", other.mint_opaque()):
        assert court.outcome(token) == Reason.TOKEN_INACTIVE
    assert len(issuer.opaque.asked) == 5
    assert other.counts["introspect"] == 0


def test_without_an_issuer_that_introspects_it_is_no_token(court: Court, other: SimulatedIssuer) -> None:
    court.verifier._introspecting = None
    assert court.outcome(other.mint_opaque()) == Reason.TOKEN_MALFORMED


def test_a_good_answer_is_kept_for_half_a_minute_and_never_past_its_end(
    court: Court, issuer: SimulatedIssuer, clock: Clock
) -> None:
    token = issuer.mint_opaque()
    assert [court.outcome(token) for _ in range(3)] == [GOOD] * 3
    issuer.opaque.revoke(token)
    clock.elapsed = 29
    assert court.outcome(token) == GOOD
    assert issuer.counts["introspect"] == 1
    clock.elapsed = 30
    assert court.outcome(token) == Reason.TOKEN_INACTIVE
    short = issuer.mint_opaque(exp=NOW + 40)
    assert court.outcome(short) == GOOD
    asked = issuer.counts["introspect"]
    clock.elapsed = 41
    assert court.outcome(short) == GOOD  # within the leeway, and asked again
    assert issuer.counts["introspect"] == asked + 1


def test_a_stream_asks_again_as_calls_do(court: Court, issuer: SimulatedIssuer, clock: Clock) -> None:
    token = BearerToken(issuer.mint_opaque(exp=NOW + 300))

    def again(principal: Principal) -> Principal:
        again = court.run(lambda: court.verifier.verify_again(token, principal, int(clock.wall())))
        assert isinstance(again, Principal)
        return again

    caller = court.answer(token.reveal())
    assert isinstance(caller, Principal)
    clock.elapsed = 31
    assert again(caller) == caller
    assert issuer.counts["introspect"] == 2
    issuer.opaque.revoke(token.reveal())
    clock.elapsed = 62
    with pytest.raises(Refused) as refused:
        again(caller)
    assert refused.value.reason is Reason.TOKEN_INACTIVE


@pytest.mark.parametrize("use", ["refresh_token", "id", "", None, ["access_token"], True])
def test_what_its_issuer_calls_no_access_token_is_none(
    court: Court, issuer: SimulatedIssuer, use: object
) -> None:
    assert court.outcome(issuer.mint_opaque(token_use=use)) == Reason.TOKEN_TYPE
    assert court.outcome(issuer.mint_opaque(token_use="access_token")) == GOOD
    assert court.outcome(issuer.mint_opaque(token_use="access")) == GOOD


def test_a_refusal_is_kept_for_ten_seconds(court: Court, issuer: SimulatedIssuer, clock: Clock) -> None:
    token = issuer.mint_opaque(aud="https://other.example")
    assert [court.outcome(token) for _ in range(5)] == [Reason.TOKEN_AUDIENCE] * 5
    assert [court.outcome("unknown") for _ in range(5)] == [Reason.TOKEN_INACTIVE] * 5
    clock.elapsed = 9
    assert court.outcome("unknown") == Reason.TOKEN_INACTIVE
    assert issuer.counts["introspect"] == 2
    clock.elapsed = 10
    assert court.outcome("unknown") == Reason.TOKEN_INACTIVE
    assert issuer.counts["introspect"] == 3


def test_refusals_do_not_push_out_what_is_good(court: Court, issuer: SimulatedIssuer) -> None:
    token = issuer.mint_opaque()
    assert court.outcome(token) == GOOD
    introspection = next(iter(court.verifier._issuers.values())).introspection
    assert introspection is not None
    for number in range(5000):
        refused = Refused(Reason.TOKEN_INACTIVE, "no")
        introspection.remember(BearerToken(f"t{number}").digest, refused, NOW)
    assert len(introspection._refusals) == 4096
    assert court.outcome(token) == GOOD
    assert issuer.counts["introspect"] == 1


def test_many_callers_with_one_token_are_one_question(court: Court, issuer: SimulatedIssuer) -> None:
    assert set(court.at_once([issuer.mint_opaque()] * 50)) == {GOOD}
    assert issuer.counts["introspect"] == 1


def test_sixteen_questions_are_in_flight_and_more_callers_wait_elsewhere(
    make: Any, issuer: SimulatedIssuer
) -> None:
    court = make(seconds=2.0)
    court.start()
    issuer.faults.introspection = Fault.HANG
    tokens = [issuer.mint_opaque() for _ in range(40)]
    assert set(court.at_once(tokens)) == {UNAVAILABLE}
    assert issuer.counts["introspect"] == 16
    assert 1 <= (court.answer(tokens[0]).retry_after or 0) <= 10
    issuer.faults.clear()
    assert court.at_once(tokens[:16]) == [GOOD] * 16


@pytest.mark.parametrize(
    "fault", [Fault.STATUS_500, Fault.NOT_FOUND, Fault.GARBAGE, Fault.HTML, Fault.REDIRECT, Fault.HUGE,
              Fault.GZIP, Fault.DRIP, Fault.HANG],
)  # fmt: skip
def test_no_answer_that_counts_is_503_and_recovery_is_immediate(
    make: Any, issuer: SimulatedIssuer, other: SimulatedIssuer, fault: Fault
) -> None:
    court = make(seconds=1.5 if fault in (Fault.DRIP, Fault.HANG) else 5.0)
    court.start()
    issuer.faults.introspection = fault
    token = issuer.mint_opaque()
    refused = court.answer(token)
    assert (refused.reason, refused.retry_after) == (UNAVAILABLE, 2)
    assert token not in refused.detail
    assert court.outcome(other.mint()) == GOOD
    assert issuer.counts["redirected"] == 0
    issuer.faults.clear()
    assert court.outcome(token) == GOOD


def test_an_issuer_that_is_away_is_503(court: Court, issuer: SimulatedIssuer) -> None:
    token = issuer.mint_opaque()
    issuer.stop()
    seen = len(court.events)
    assert [court.outcome(token) for _ in range(3)] == [UNAVAILABLE] * 3
    [told] = court.events[seen:]
    assert told.detail.startswith("opaque tokens cannot be asked about: no connection")
    issuer.start()
    assert court.outcome(token) == GOOD


def test_a_proof_that_is_not_to_be_had_says_nothing_about_the_token(
    court: Court, issuer: SimulatedIssuer
) -> None:
    token = issuer.mint_opaque()
    court.assertions.failure = Refused(Reason.IDENTITY_EXPIRED, "it ran out", retry_after=5)
    refused = court.answer(token)
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.retry_after) == (Reason.IDENTITY_EXPIRED, 5)
    court.assertions.failure = OSError("no agent")
    assert court.outcome(token) == UNAVAILABLE
    assert issuer.counts["introspect"] == 0
    court.assertions.failure = None
    assert court.outcome(token) == GOOD


def test_a_question_that_is_not_authenticated_is_no_answer(court: Court, issuer: SimulatedIssuer) -> None:
    good, issuer.client.client_id = issuer.client.client_id, "nobody"
    token = issuer.mint_opaque()
    assert court.outcome(token) == UNAVAILABLE
    issuer.client.client_id = good
    assert court.outcome(token) == GOOD


def test_a_caller_that_leaves_does_not_take_the_question_with_it(
    court: Court, issuer: SimulatedIssuer
) -> None:
    token = issuer.mint_opaque()

    async def leave_and_ask() -> Principal:
        impatient = asyncio.create_task(court.verifier.verify(BearerToken(token), NOW))
        await asyncio.sleep(0)
        patient = asyncio.create_task(court.verifier.verify(BearerToken(token), NOW))
        await asyncio.sleep(0)
        impatient.cancel()
        return await patient

    assert court.run(leave_and_ask).issuer == issuer.issuer
    assert issuer.counts["introspect"] == 1


def test_denials_count_for_opaque_tokens_too_and_are_asked_on_every_request(
    make: Any, issuer: SimulatedIssuer
) -> None:
    class Denials:
        generation = 0
        denied = False

        def refuse(self, _: Principal) -> None:
            if self.denied:
                raise Refused(Reason.TOKEN_DENIED, "denied")

    denials = Denials()
    court = make(deny=denials)
    court.start()
    token = issuer.mint_opaque()
    assert court.outcome(token) == GOOD
    denials.denied = True
    assert court.outcome(token) == Reason.TOKEN_DENIED
    denials.denied, denials.generation = False, 1
    assert court.outcome(token) == GOOD
    assert issuer.counts["introspect"] == 2  # the new list dropped what was remembered


@pytest.mark.parametrize(
    "endpoint",
    [
        None,
        5,
        "https://other.example/introspect",
        "http://localhost:1/introspect",
        "https://169.254.169.254/i",
    ],
)
def test_an_endpoint_elsewhere_stops_the_start(make: Any, issuer: SimulatedIssuer, endpoint: object) -> None:
    issuer.faults.metadata = {"introspection_endpoint": endpoint}
    with pytest.raises(StartupRefused) as refusal:
        make().start()
    assert refusal.value.exit_code == EX_CONFIG
    assert (refusal.value.problems[0].field or "").endswith(".introspection_endpoint")
    issuer.faults.clear()
    make().start()


def test_an_endpoint_that_the_settings_name_is_used(make: Any, issuer: SimulatedIssuer) -> None:
    issuer.faults.metadata = {"introspection_endpoint": "https://other.example/introspect"}
    court = make(endpoint=f"{issuer.issuer}/introspect")
    court.start()
    assert court.outcome(issuer.mint_opaque()) == GOOD


def test_the_server_starts_while_metadata_are_away_and_asks_when_they_are_back(
    make: Any, issuer: SimulatedIssuer
) -> None:
    court = make(jwks_uri=issuer.jwks_uri)
    issuer.faults.discovery = Fault.STATUS_500
    court.start()
    token = issuer.mint_opaque()
    assert court.outcome(token) == UNAVAILABLE
    issuer.faults.clear()
    assert court.outcome(token) == GOOD
