"""Can tokens be verified at all? Asked once, before anything listens.

Every issuer is asked. One whose metadata are somebody else's, or that leads where we do not connect,
stops the start: only a change can help. One that cannot be asked is asked again until the deadline,
unless another one's keys are there: then it may come later, as it may go later.
"""

import asyncio
from collections.abc import Mapping

from launchworthy.tokens.discovery import MetadataError, WrongIssuerError
from launchworthy.tokens.endpoint import EndpointError
from launchworthy.tokens.key_sets import IssuerKeys
from launchworthy.vocabulary import EX_CONFIG, EX_TEMPFAIL, Problem, StartupRefused

STAGE = "issuers"


async def start_issuers(issuers: Mapping[str, IssuerKeys], deadline: float) -> None:
    """Get the keys of every issuer that can be asked, of one at least.

    Args:
        issuers: their keys, by the issuers' names in the settings.
        deadline: seconds.

    Raises:
        StartupRefused: stage `issuers`; exit code 78 or 75.
    """
    try:
        async with asyncio.timeout(deadline):
            while True:
                await asyncio.gather(*(keys.refresh_if_due() for keys in issuers.values()))
                _refuse_misconfigured(issuers)
                if any(keys.status().usable for keys in issuers.values()):
                    return
                await asyncio.sleep(max(0.02, min(keys.seconds_until_due() for keys in issuers.values())))
    except TimeoutError:
        raise _unreachable(issuers, deadline) from None


def _refuse_misconfigured(issuers: Mapping[str, IssuerKeys]) -> None:
    problems = tuple(
        _misconfigured(name, keys.last_error)
        for name, keys in issuers.items()
        if isinstance(keys.last_error, MetadataError | EndpointError)
    )
    if problems:
        raise StartupRefused(STAGE, *problems, exit_code=EX_CONFIG)


def _misconfigured(name: str, error: Exception) -> Problem:
    if isinstance(error, WrongIssuerError):
        return Problem(
            reason="wrong-issuer",
            what=str(error),
            fix=("write the issuer exactly as it calls itself, to the last slash",),
            field=f"issuers.{name}.issuer",
        )
    return Problem(
        reason="issuer-endpoint",
        what=str(error),
        fix=("check the issuer, or name the address of its keys yourself",),
        field=f"issuers.{name}.jwks_uri",
    )


def _unreachable(issuers: Mapping[str, IssuerKeys], deadline: float) -> StartupRefused:
    problems = tuple(
        Problem(
            reason="no-keys",
            what=f"no keys of `{name}` within {deadline:g} s: {keys.last_error or 'no answer yet'}",
            fix=("check that it answers from here; a restart tries again",),
            field=f"issuers.{name}",
        )
        for name, keys in issuers.items()
    )
    return StartupRefused(STAGE, *problems, exit_code=EX_TEMPFAIL)
