"""Can tokens be verified at all? Asked once, before anything listens.

Every issuer is asked. One whose metadata are somebody else's, or that leads where we do not connect,
stops the start: only a change can help. One that cannot be asked is asked again until the deadline,
unless another one's keys are there: then it may come later, as it may go later.
"""

import asyncio
from collections.abc import Iterable, Mapping

from launchworthy.tokens.discovery import MetadataError, WrongIssuerError
from launchworthy.tokens.endpoint import EndpointError
from launchworthy.tokens.fetch import FetchError
from launchworthy.tokens.issuer import Issuer
from launchworthy.tokens.key_import import KeySetError
from launchworthy.tokens.key_sets import IssuerKeys
from launchworthy.vocabulary import EX_CONFIG, EX_TEMPFAIL, Problem, StartupRefused

STAGE = "issuers"


async def start_issuers(issuers: Iterable[Issuer], deadline: float) -> None:
    """Get the keys of every issuer that can be asked, of one at least.

    Args:
        issuers: all that are configured.
        deadline: seconds.

    Raises:
        StartupRefused: stage `issuers`; exit code 78 or 75.
    """
    issuers = tuple(issuers)
    keys = {issuer.name: issuer.keys for issuer in issuers}
    try:
        async with asyncio.timeout(deadline):
            while True:
                await asyncio.gather(*(each.refresh_if_due() for each in keys.values()))
                _refuse_misconfigured({name: each.last_error for name, each in keys.items()}, "jwks_uri")
                if any(each.status().usable for each in keys.values()):
                    break
                await asyncio.sleep(max(0.02, min(each.seconds_until_due() for each in keys.values())))
    except TimeoutError:
        raise _unreachable(keys, deadline) from None
    await _find_introspection(issuers)


async def _find_introspection(issuers: tuple[Issuer, ...]) -> None:
    """Where opaque tokens will be asked about; that this cannot be known now may end by itself."""
    errors: dict[str, Exception | None] = {}
    for issuer in issuers:
        if issuer.introspection is not None:
            try:
                await issuer.introspection.find()
            except (MetadataError, EndpointError, FetchError, TimeoutError) as error:
                errors[issuer.name] = error
    _refuse_misconfigured(errors, "introspection_endpoint")


def _refuse_misconfigured(errors: Mapping[str, Exception | None], field: str) -> None:
    problems = tuple(
        _misconfigured(name, error, field)
        for name, error in errors.items()
        if isinstance(error, MetadataError | EndpointError)
    )
    if problems:
        raise StartupRefused(STAGE, *problems, exit_code=EX_CONFIG)


def _misconfigured(name: str, error: Exception, field: str) -> Problem:
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
        fix=(f"check the issuer, or name the address yourself: {field} of [issuers.{name}]",),
        field=f"issuers.{name}.{field}",
    )


def _unreachable(keys: Mapping[str, IssuerKeys], deadline: float) -> StartupRefused:
    problems = tuple(
        Problem(
            reason="no-keys",
            what=f"no keys of `{name}` within {deadline:g} s: {each.last_error or 'no answer yet'}",
            fix=(_what_to_do(each.last_error),),
            field=f"issuers.{name}",
        )
        for name, each in keys.items()
    )
    return StartupRefused(STAGE, *problems, exit_code=EX_TEMPFAIL)


def _what_to_do(error: Exception | None) -> str:
    if isinstance(error, KeySetError):  # it answered; some issuers make a key only when they first sign
        return "compare `algorithms` with the keys it publishes, and let it publish one for them"
    return "check that it answers from here; a restart tries again"
