"""Tokens about a job: for each audience its own, kept, renewed, and gone when the job may have none."""

import asyncio
import contextlib
import hashlib
import time

import pytest

from launchworthy.identity import IdentityUnavailable, Phase
from launchworthy.identity.cause import Cause, SourceError
from launchworthy.identity.github import github_mint
from launchworthy.identity.minting import OWN_AUDIENCE, STREAM_AUDIENCE, MintingIdentity
from launchworthy.testing.job_tokens import REQUEST_SECRET, JobFault, JobTokens
from launchworthy.vocabulary import EX_CONFIG, EX_TEMPFAIL, Reason, StartupRefused

pytestmark = pytest.mark.anyio
US = "dev.invalid:repo:acme/orders:environment:staging"
ISSUER = "https://login.dev.invalid"


class Clock:
    def __init__(self):
        self.ahead = 0.0

    def __call__(self):
        return time.time() + self.ahead


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def job():
    with JobTokens(subject=US) as service:
        yield service


@pytest.fixture
def clock():
    return Clock()


@contextlib.asynccontextmanager
async def ready(job, clock, **other):
    identity = made(job, clock, **other)
    try:
        await identity.start(3)
        yield identity
    finally:
        await identity.aclose()


def made(job, clock, timeout=1.0, **other):
    mint = github_mint(job.environ, timeout=timeout, allow_loopback_http=True)
    options = {"expected_id": US, "trust_domains": ("dev.invalid",), "clock": clock, "look_every": 0.02}
    return MintingIdentity(mint, **{**options, **other})


async def until(condition, seconds=5.0):
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - another thread's doing
            await asyncio.sleep(0.01)


async def test_a_job_gets_a_token_for_each_audience_and_asks_once_for_each(job, clock):
    async with ready(job, clock) as identity:
        assert identity.status().subject == US
        first = await identity.assertion(ISSUER)
        assert (await identity.assertion(ISSUER)).reveal() == first.reveal()
        assert (await identity.assertion(ISSUER + "/2")).reveal() != first.reveal()
        assert job.audiences == [OWN_AUDIENCE, ISSUER, ISSUER + "/2"]
        assert set(job.secrets) == {f"Bearer {REQUEST_SECRET}"}
        assert REQUEST_SECRET not in repr(identity) + repr(first) + repr(identity.status())


async def test_a_proof_is_a_token_whose_audience_is_the_digest_of_what_is_proved(job, clock):
    async with ready(job, clock) as identity:
        proof = await identity.prove(b"a stream's key")
        assert job.audiences[-1] == STREAM_AUDIENCE + hashlib.sha256(b"a stream's key").hexdigest()
        assert (proof.kind, len(proof.token), proof.signature) == ("token", 64, "")


async def test_it_is_renewed_at_half_of_its_life(job, clock):
    told = []
    identity = made(job, clock)
    identity.on_change(lambda change: told.append(change.kind.value))
    await identity.start(3)
    before = identity.status().not_after
    clock.ahead = job.ttl * 0.4
    await asyncio.sleep(0.1)
    assert identity.status().not_after == before
    job.ttl += 60
    clock.ahead = job.ttl * 0.6
    await until(lambda: identity.status().not_after != before)
    await until(lambda: told == ["acquired", "rotated"])
    await identity.aclose()


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (JobFault.UNAVAILABLE, "HTTP 503"),
        (JobFault.REDIRECT, "HTTP 302"),
        (JobFault.GARBAGE, "holds no token"),
        (JobFault.HUGE, "too large"),
        (JobFault.HANG, "no answer within"),
        (JobFault.OTHER_AUDIENCE, "not for the audience"),
    ],
)
async def test_an_outage_is_served_until_the_token_ends_and_no_longer(job, clock, fault, says):
    async with ready(job, clock, timeout=0.2) as identity:
        job.fault = fault
        with pytest.raises(IdentityUnavailable, match=says):
            await identity.assertion(ISSUER)
        clock.ahead = job.ttl * 0.6
        await until(lambda: says in identity.status().detail)
        identity.require()
        clock.ahead = job.ttl + 1
        assert identity.status().phase is Phase.EXPIRED
        with pytest.raises(IdentityUnavailable, match="EXPIRED"):
            identity.require()
        job.fault = JobFault.NONE
        clock.ahead = 0
        await until(lambda: identity.status().phase is Phase.READY and identity.status().detail == "", 10)
        await identity.assertion(ISSUER)
    assert "/elsewhere" not in str(job.audiences)


@pytest.mark.parametrize("fault", [JobFault.DENIED, JobFault.OTHER_SUBJECT])
async def test_a_job_that_may_have_none_any_more_is_revoked_at_once(job, clock, fault):
    async with ready(job, clock) as identity:
        await identity.assertion(ISSUER)
        job.fault = fault
        clock.ahead = job.ttl * 0.6
        await until(lambda: identity.status().phase is Phase.REVOKED)
        assert identity.status().reason is Reason.IDENTITY_REVOKED
        with pytest.raises(IdentityUnavailable):
            await identity.assertion(ISSUER)


async def test_it_has_no_certificate_and_trusts_no_bundle(job, clock):
    async with ready(job, clock) as identity:
        for ask in (identity.x509, lambda: identity.bundle_for("dev.invalid")):
            with pytest.raises(IdentityUnavailable):
                ask()
        with pytest.raises(ValueError, match="everywhere"):
            await identity.assertion("")


@pytest.mark.parametrize(
    ("fault", "reason", "code"),
    [
        (JobFault.OTHER_SUBJECT, "unexpected-identity", EX_CONFIG),
        (JobFault.DENIED, "no-identity", EX_TEMPFAIL),
        (JobFault.GARBAGE, "not-an-identity-token", EX_TEMPFAIL),
        (JobFault.OTHER_AUDIENCE, "identity-token-audience", EX_TEMPFAIL),
    ],
)
async def test_a_start_that_gets_no_token_says_why(job, clock, fault, reason, code):
    job.fault = fault
    with pytest.raises(StartupRefused) as refused:
        await made(job, clock).start(0.3)
    assert (refused.value.problems[0].reason, refused.value.exit_code) == (reason, code)


@pytest.mark.parametrize(
    "change",
    [
        {"ACTIONS_ID_TOKEN_REQUEST_URL": ""},
        {"ACTIONS_ID_TOKEN_REQUEST_TOKEN": ""},
        {"ACTIONS_ID_TOKEN_REQUEST_URL": "http://runner.example/token"},
        {"ACTIONS_ID_TOKEN_REQUEST_URL": "https://user@runner.example/token"},
        {"ACTIONS_ID_TOKEN_REQUEST_URL": "file:///etc/passwd"},
    ],
)
async def test_the_secret_of_a_job_goes_nowhere_but_to_its_runner_by_https(job, change):
    for loopback in (True, False):
        with pytest.raises(SourceError) as refused:
            github_mint({**job.environ, **change}, timeout=1, allow_loopback_http=loopback)
        assert refused.value.failure.cause is Cause.NO_RUNNER
        assert REQUEST_SECRET not in str(refused.value)
    with pytest.raises(SourceError):
        github_mint(job.environ, timeout=1, allow_loopback_http=False)
