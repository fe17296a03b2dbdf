"""How many tokens a second? Our verifier with all its rules, joserfc, PyJWT, and openssl alone.

Every token is another one, so nothing is remembered; all see the same tokens, in rounds that take turns.
`openssl speed` is what the signature alone costs in C. One core, CPU time.
"""

import asyncio
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

import jwt as pyjwt
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import KeySet

from launchworthy.testing.issuer_keys import SigningKeys
from launchworthy.testing.issuer_minting import Grant, Minter
from launchworthy.tokens import IssuerPolicy, NobodyDenied
from launchworthy.tokens.key_import import import_keys
from launchworthy.tokens.verifier import TokenVerifier
from launchworthy.vocabulary import BearerToken

ISSUER, AUDIENCE = "https://login.acme.example", "https://orders.acme.example/mcp"
ALGORITHMS = {"RS256": "rsa2048", "ES256": "ecdsap256", "Ed25519": "ed25519"}
ROUNDS, TOKENS = 5, 1500
_SPEED = {
    "RS256": re.compile(r"^rsa\s+2048 bits.*\s([\d.]+)$", re.MULTILINE),
    "ES256": re.compile(r"^\s*256 bits ecdsa.*\s([\d.]+)$", re.MULTILINE),
    "Ed25519": re.compile(r"^\s*253 bits EdDSA.*\s([\d.]+)$", re.MULTILINE),
}


@dataclass
class Row:
    """One algorithm: tokens a second, by who verifies."""

    algorithm: str
    openssl: float | None
    rates: dict[str, list[float]] = field(default_factory=dict)

    def rate(self, who: str) -> float:
        """The median of all rounds."""
        return median(self.rates[who])

    def against(self, who: str) -> float:
        """Ours in relation to somebody else's, round by round."""
        return median(ours / theirs for ours, theirs in zip(self.rates["ours"], self.rates[who], strict=True))


def verification_section() -> str:
    """The table, for `docs/benchmarks.md`."""
    rows = [_measure(algorithm) for algorithm in ALGORITHMS]
    lines = [
        "",
        "## Verification of tokens",
        "",
        "Tokens a second on one core, each of them new: all of our rules, `joserfc.jwt.decode` without any,",
        "`PyJWT` with audience and issuer, and what `openssl speed` says of the signature alone.",
        f"{ROUNDS} rounds of {TOKENS} tokens that take turns; medians. The bar is joserfc: ≥ 1.0.",
        "",
        "| algorithm | ours | joserfc | × joserfc | PyJWT | × PyJWT | openssl | of openssl |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        ours = row.rate("ours")
        native = ("–", "–") if row.openssl is None else (f"{row.openssl:,.0f}", f"{ours / row.openssl:.0%}")
        lines.append(
            f"| {row.algorithm} | {ours:,.0f} | {row.rate('joserfc'):,.0f} | {row.against('joserfc'):.2f} "
            f"| {row.rate('PyJWT'):,.0f} | {row.against('PyJWT'):.2f} | {native[0]} | {native[1]} |"
        )
    return "\n".join([*lines, ""])


def _measure(algorithm: str) -> Row:
    keys = SigningKeys((algorithm,))
    now = int(time.time())
    minter = Minter(ISSUER, keys, lambda: now)
    grant = Grant(
        resource=AUDIENCE, scopes=("orders:read", "orders:write"), subject="00u4f2c", client="agent"
    )
    tokens = [minter.mint(grant) for _ in range(TOKENS)]
    with asyncio.Runner() as runner:
        ways = {
            "ours": _ours(runner, keys, algorithm, tokens, now),
            "joserfc": _joserfc(keys, algorithm, tokens),
            "PyJWT": _pyjwt(keys, *_as_pyjwt_knows_it(algorithm, tokens, minter, grant)),
        }
        row = Row(algorithm, _openssl(algorithm), {who: [] for who in ways})
        names = list(ways)
        for number in range(-1, ROUNDS):
            for who in names[number % 3 :] + names[: number % 3]:
                began = time.process_time()
                ways[who]()
                if number >= 0:
                    row.rates[who].append(TOKENS / (time.process_time() - began))
    return row


def _ours(
    runner: asyncio.Runner, keys: SigningKeys, algorithm: str, tokens: list[str], now: int
) -> Callable[[], None]:
    policy = IssuerPolicy(
        name="acme", issuer=ISSUER, algorithms=(algorithm,), max_lifetime=3600, leeway=30,
        jwks_uri=f"{ISSUER}/keys", scope_claim="scope", person_claim=None, tenant_claim=None,
        key_fresh=300, key_stale=900,
        key_spacing=10, allow_loopback_http=False, single_audience=True, exceptions=(), introspection=None,
    )  # fmt: skip
    verifier = TokenVerifier([policy], AUDIENCE, {}, lambda _: None, lambda: 1000.0, deny=NobodyDenied())
    [issuer] = verifier._issuers.values()
    issuer.keys._ring = import_keys(keys.document(), (algorithm,))
    issuer.keys._fetched_at = 1000.0

    async def all_of_them() -> None:
        verifier._verified._entries.clear()
        for token in tokens:
            await verifier.verify(BearerToken(token), now)

    return lambda: runner.run(all_of_them())


def _joserfc(keys: SigningKeys, algorithm: str, tokens: list[str]) -> Callable[[], None]:
    ring = KeySet.import_key_set(keys.document())

    def all_of_them() -> None:
        for token in tokens:
            joserfc_jwt.decode(token, ring, [algorithm])

    return all_of_them


def _pyjwt(keys: SigningKeys, algorithm: str, tokens: list[str]) -> Callable[[], None]:
    """PyJWT knows Ed25519 by its older name only, so it gets tokens that say `EdDSA`."""
    jwk = {name: value for name, value in keys.document()["keys"][0].items() if name != "alg"}
    key = pyjwt.PyJWK(jwk, algorithm=algorithm)

    def all_of_them() -> None:
        for token in tokens:
            pyjwt.decode(token, key, algorithms=[algorithm], audience=AUDIENCE, issuer=ISSUER)

    return all_of_them


def _as_pyjwt_knows_it(
    algorithm: str, tokens: list[str], minter: Minter, grant: Grant
) -> tuple[str, list[str]]:
    if algorithm != "Ed25519":
        return algorithm, tokens
    return "EdDSA", [minter.mint(grant, header={"alg": "EdDSA"}) for _ in range(TOKENS)]


def _openssl(algorithm: str) -> float | None:
    """Verifications a second, as `openssl speed` says; None where there is no openssl."""
    if shutil.which("openssl") is None:
        return None
    command = ["openssl", "speed", "-seconds", "1", ALGORITHMS[algorithm]]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = _SPEED[algorithm].search(said)
    return float(found[1]) if found else None


if __name__ == "__main__":
    sys.stdout.write(verification_section())
