"""How does a probe get tokens from any other issuer? A command of the user's prints one.

The command is asked for a good token, and for tokens that are good for other scopes or another resource,
by two environment variables. What it printed is looked into before it counts as what was asked for. Tokens
that nobody trusted has signed are made here, out of the good one, with a key of our own.
"""

import base64
import json
import re
import shlex
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from launchworthy.probe.cases.audience import SOMEBODY_ELSE
from launchworthy.probe.issuing import CannotMint
from launchworthy.testing.issuer import ABSENT, SigningKey
from launchworthy.testing.issuer_clients import SimulatedClient
from launchworthy.testing.issuer_minting import Grant

RESOURCE_VARIABLE: Final = "PROBE_RESOURCE"
SCOPE_VARIABLE: Final = "PROBE_SCOPE"
_ONE_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{1,16384}=*")
_SECONDS = 60.0
_LAST_SECONDS = 60
"""A token that ends within this time is asked for anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """A token of the command, and what is written in it; nothing of it is verified."""

    token: str
    header: Mapping[str, Any]
    claims: Mapping[str, Any]


Ask = Callable[[str, str | None], str]
"""From a resource, and scopes or None for whatever is given, to a token; `CannotMint` where there is none."""


class GivenIssuer:
    """Whoever gives tokens that are good, and signs nothing that is not.

    Attributes:
        client: nobody; the tokens name their own.
    """

    def __init__(self, ask: Ask, resource: str, clock: Callable[[], float]) -> None:
        """Ask for nothing yet.

        Args:
            ask: for a token.
            resource: whom good tokens are for.
            clock: seconds since the epoch.
        """
        self.client = SimulatedClient("probe")
        self._ask_for = ask
        self._resource = resource
        self._clock = clock
        self._given: dict[tuple[str, str | None], _Given] = {}

    @property
    def issuer(self) -> str:
        """Who issued the good token, as it says."""
        return str(self._written("iss"))

    @property
    def keys(self) -> "GivenIssuer":
        """The keys, of which only what the good token says is known."""
        return self

    def active(self, algorithm: str | None = None) -> "_UnknownKey":
        """The key that signed the good token, which is not here."""
        del algorithm
        header = self._good().header
        if not isinstance(header.get("alg"), str):
            raise CannotMint("the token is opaque: nobody here can change anything of it")
        return _UnknownKey(kid=str(header.get("kid", "")), algorithm=header["alg"])

    @property
    def scopes(self) -> tuple[str, ...]:
        """What the good token is good for, as it says; empty where it does not say."""
        return _scopes_of(self._good())

    def grant(self, **given: Any) -> Grant:
        """What a token is for."""
        return Grant(**{"subject": "", "client": "", **given})

    def mint(
        self, grant: Grant, *, claims: Mapping[str, Any], header: Mapping[str, Any], **changes: Any
    ) -> str:
        """The good token, one for other scopes or for nobody, or one that a stranger signed.

        Raises:
            CannotMint: only its issuer could sign what is asked for, or the command gave something else.
        """
        key = changes.pop("key", None)
        if key is not None and not changes:
            return self._forged(key, claims, header)
        if changes or header or (claims and claims != {"aud": SOMEBODY_ELSE}):
            raise CannotMint("only an issuer that signs what it is told to can make this token (--issuer)")
        if claims:
            return self._for_somebody_else()
        good, scopes = self._good(), tuple(grant.scopes)
        return good.token if scopes == _scopes_of(good) else self._with_scopes(scopes)

    def _good(self) -> _Given:
        return self._ask(self._resource, None)

    def _for_somebody_else(self) -> str:
        given = self._ask(SOMEBODY_ELSE, None)
        if given.claims.get("aud") not in (SOMEBODY_ELSE, [SOMEBODY_ELSE]):
            raise CannotMint(f"no token for {SOMEBODY_ELSE} was given")
        return given.token

    def _with_scopes(self, scopes: tuple[str, ...]) -> str:
        given = self._ask(self._resource, " ".join(scopes))
        written = given.claims.get("scope", "")
        if not given.claims or not isinstance(written, str) or set(written.split()) != set(scopes):
            raise CannotMint(f"no token was given for exactly the scopes `{' '.join(scopes)}`")
        return given.token

    def _forged(self, key: SigningKey, claims: Mapping[str, Any], header: Mapping[str, Any]) -> str:
        """What the good token says, with changes, signed by a key that nobody trusts."""
        good = self._good()
        if not good.claims:
            raise CannotMint("the token is opaque: nobody here can write another one like it")
        head = _written({**good.header, "alg": key.algorithm, "kid": key.kid}, header)
        signing_input = f"{head}.{_written(good.claims, claims)}"
        return f"{signing_input}.{_segment(key.sign(signing_input.encode('ascii')))}"

    def _written(self, claim: str) -> Any:
        claims = self._good().claims
        if claim not in claims:
            raise CannotMint(f"the token does not say its `{claim}`")
        return claims[claim]

    def _ask(self, resource: str, scope: str | None) -> _Given:
        """Ask for a token, or remember what was given."""
        known = self._given.get((resource, scope))
        if known is not None and not self._is_over(known):
            return known
        token = self._ask_for(resource, scope)
        header, claims = _look_into(token)
        given = _Given(token=token, header=header, claims=claims)
        self._given[resource, scope] = given
        return given

    def _is_over(self, given: _Given) -> bool:
        expires = given.claims.get("exp")
        return isinstance(expires, int | float) and expires < self._clock() + _LAST_SECONDS


class CommandIssuer(GivenIssuer):
    """Whoever stands behind a command."""

    def __init__(
        self, command: str, resource: str, clock: Callable[[], float], environ: Mapping[str, str]
    ) -> None:
        """Run nothing yet.

        Args:
            command: words as a shell would split them; it is not given to one.
            resource: whom good tokens are for.
            clock: seconds since the epoch.
            environ: what the command finds, but for the two variables.
        """
        words = shlex.split(command)
        super().__init__(lambda wanted, scope: _run(words, environ, wanted, scope), resource, clock)


def _run(words: list[str], environ: Mapping[str, str], resource: str, scope: str | None) -> str:
    """Run the command; its output is shown to nobody.

    Raises:
        CannotMint: it gave no token.
    """
    given = {**environ, RESOURCE_VARIABLE: resource}
    given.pop(SCOPE_VARIABLE, None)
    if scope is not None:
        given[SCOPE_VARIABLE] = scope
    try:
        done = subprocess.run(  # noqa: S603 - it is what the user asked for, and no shell reads it
            words, env=given, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired, IndexError) as error:
        raise CannotMint(f"the token command could not be run: {type(error).__name__}") from None
    token = done.stdout.decode("ascii", errors="replace").strip()
    if done.returncode != 0 or _ONE_TOKEN.fullmatch(token) is None:
        raise CannotMint(f"the token command gave no token (exit {done.returncode})")
    return token


@dataclass(frozen=True, slots=True, kw_only=True)
class _UnknownKey:
    kid: str
    algorithm: str

    def sign(self, signing_input: bytes) -> bytes:
        del signing_input
        raise CannotMint("only an issuer that signs what it is told to can make this token (--issuer)")

    def public(self) -> dict[str, Any]:
        raise CannotMint("the issuer's public key is not known here (--issuer)")


def _scopes_of(given: _Given) -> tuple[str, ...]:
    return tuple(str(given.claims.get("scope", "")).split())


def _look_into(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Header and claims as they are written; empty where the token is opaque."""
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - of a JWT
        return {}, {}
    try:
        header, claims = (
            json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in parts[:2]
        )
    except (ValueError, RecursionError):
        return {}, {}
    return (header, claims) if isinstance(header, dict) and isinstance(claims, dict) else ({}, {})


def _written(members: Mapping[str, Any], changes: Mapping[str, Any]) -> str:
    kept = {name: value for name, value in {**members, **changes}.items() if value is not ABSENT}
    return _segment(json.dumps(kept, separators=(",", ":")).encode())


def _segment(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
