"""Is there a token? Those of known providers, and signed JWTs (RFC 7519)."""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from launchworthy.detection.benign import is_benign, is_placeholder
from launchworthy.detection.checksums import crc32_base62_fits
from launchworthy.detection.providers import PROVIDERS, Provider, pattern, stands_alone
from launchworthy.detection.randomness import entropy
from launchworthy.detection.shape import Shape, decoded

_LONG_RUN = re.compile(r"[A-Za-z0-9_-]{20,}")
_LEAD = 24
"""How far before its longest run a token may begin (`SG.…`, `access-production-…`)."""
_FAR = tuple(provider for provider in PROVIDERS if "/" in provider.begins[1:] or "$" in provider.begins)
_NEAR = tuple(provider for provider in PROVIDERS if provider not in _FAR)
_BEGINNINGS = re.compile("|".join(sorted({re.escape(each.begins) for each in _NEAR}, key=len, reverse=True)))
_BY_FIRST_LETTERS = {
    letters: tuple(provider for provider in _NEAR if provider.begins.startswith(letters))
    for letters in {provider.begins[:2] for provider in _NEAR}
}
_MIN_SPREAD = 2.6
_JWT = re.compile(
    r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,2000}\.eyJ[A-Za-z0-9_-]{8,6000}\.[A-Za-z0-9_-]{16,2000}"
)
_JWT_OF_THE_DOCUMENTATION = "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"


class _Unled(NamedTuple):
    """A token without a beginning to look for.

    Attributes:
        kind: as it is reported.
        sign: a text in lower case that is in it, or near.
        reach: how far around the sign the whole is, with room to see that it stands alone.
        pattern: the whole, or the group `value` of it.
    """

    kind: str
    sign: str
    reach: int
    pattern: re.Pattern[str]


_UNLED = (
    _Unled("telegram-token", ":aa", 99, re.compile(r"(?<!\d)\d{8,10}:AA[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])")),
    _Unled(
        "azure-client-secret",
        "q~",
        99,
        re.compile(r"(?<![\w~.-])[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{31,34}(?![\w~.-])"),
    ),
    _Unled(
        "openai-key",
        "t3blbkfj",
        600,
        re.compile(r"(?<![A-Za-z0-9_-])sk-[A-Za-z0-9_-]{20,200}T3BlbkFJ[A-Za-z0-9_-]{20,200}"),
    ),
    _Unled("mailchimp-key", "-us", 99, re.compile(r"(?<![\w-])[a-f0-9]{32}-us\d{1,2}(?![\w-])")),
    _Unled(
        "shared-access-signature",
        "sig=",
        900,
        re.compile(r"[?&]s[ervptg]=[^\s\"']{0,400}?&sig=(?P<value>[A-Za-z0-9%+/=_-]{40,100})"),
    ),
    _Unled("django-secret-key", "django-insecure-", 200, re.compile(r"django-insecure-[^\s\"']{30,100}")),
    _Unled(
        "discord-token",
        "discord",
        400,
        re.compile(r"(?<![\w-])[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,38}(?![\w-])"),
    ),
)


def tokens(text: str, lowered: str) -> Iterator[Shape]:
    """Every token that shows by its form."""
    yield from _near_long_runs(text)
    for provider in _FAR:
        at = text.find(provider.begins)
        while at >= 0:
            yield from _token(text, at, provider)
            at = text.find(provider.begins, at + 1)
    for unled in _UNLED:
        yield from _unled(text, lowered, unled)
    if "eyJ" in text:
        yield from _jwts(text)


def _near_long_runs(text: str) -> Iterator[Shape]:
    """Tokens hold a long run of letters and digits: their beginnings are looked for around those only."""
    done = 0
    for run in _LONG_RUN.finditer(text):
        for begin in _BEGINNINGS.finditer(text, max(done, run.start() - _LEAD), run.end()):
            for provider in _BY_FIRST_LETTERS[begin.group()[:2]]:
                yield from _token(text, begin.start(), provider)
        done = run.end()


def _token(text: str, at: int, provider: Provider) -> Iterator[Shape]:
    if not text.startswith(provider.begins, at) or not stands_alone(text, at, provider):
        return
    found = pattern(provider).match(text, at)
    if found is not None and _was_generated(found.group(), provider):
        yield Shape(provider.kind, found.group(), at)


def _was_generated(token: str, provider: Provider) -> bool:
    """Whether a token of the right form is more than a form; a checksum that fits ends the question."""
    if provider.checksum and crc32_base62_fits(token):
        return True
    rest = token[len(provider.begins) :]
    return entropy(rest) >= _MIN_SPREAD and not is_placeholder(rest)


def _unled(text: str, lowered: str, unled: _Unled) -> Iterator[Shape]:
    group = "value" if "value" in unled.pattern.groupindex else 0
    for start, end in _around(lowered, unled.sign, unled.reach):
        for found in unled.pattern.finditer(text, start, end):
            if not is_benign(found[group]):
                yield Shape(unled.kind, found[group], found.start(group))


def _around(lowered: str, sign: str, reach: int) -> Iterator[tuple[int, int]]:
    """The surroundings of every sign; those that touch are one, so that nothing is read twice."""
    at = lowered.find(sign)
    while at >= 0:
        start = max(0, at - reach)
        end = at + reach
        at = lowered.find(sign, at + 1)
        while 0 <= at < end + reach:
            end = at + reach
            at = lowered.find(sign, at + 1)
        yield start, end


def _jwts(text: str) -> Iterator[Shape]:
    for found in _JWT.finditer(text):
        header = decoded(found.group().partition(".")[0])
        try:
            algorithm = json.loads(header).get("alg")
        except (ValueError, AttributeError):
            continue
        if isinstance(algorithm, str) and not found.group().endswith(_JWT_OF_THE_DOCUMENTATION):
            yield Shape("jwt", found.group(), found.start())
