"""Is this value under this name a secret? The one place where name, value and surroundings meet."""

import re
from enum import Enum
from functools import lru_cache

from launchworthy.detection.benign import is_benign, is_placeholder
from launchworthy.detection.names import Family, family, is_sensitive_name
from launchworthy.detection.randomness import entropy, looks_drawn, looks_generated, word_likeness


class Place(Enum):
    """Where a pair of name and value stands; decides how much a value must show."""

    CONFIGURATION = "configuration"  # a literal under a sensitive name is meant
    SOURCE = "source"  # most strings are words: a value must look like a secret too
    PROSE = "prose"  # as in source, and bare words are sentences


_RESOURCE_NAME = re.compile(r"[a-z][a-z0-9]*(?:[-_./:][a-z0-9]+)+")
_ONE_WORD = re.compile(r"[A-Za-z]{1,12}")
_IDENTIFIER = re.compile(r"[A-Za-z_]+(?:[.:/-][A-Za-z_]+)*")
_PASSPHRASE = re.compile(r"[a-z]{3,12}(?:-[a-z]{3,12}){2,7}")
_LABEL = re.compile(r"[^\W\d_]+(?:[ '.,:;!?()-]+[^\W\d_]*)+")
_FORMAT = re.compile(
    r"%[-+ #0]?[\d.*]*[sdrxif]|\{[\w.!:\[\]]*\}|\\[dwsnrtbx.]|\(\?|\[\^|[\[(][^\])]*[\])][*+?]|[|^]\S*[$*+?]"
)
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_CODE = re.compile(r"(?:[A-Za-z_]\w*\.)*(?P<name>[A-Za-z_]\w*)[,;)]*")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
_PARTS = re.compile(r"[-_./:]")
_SCHEME = re.compile(r"(?:Bearer|Basic|Token|ApiKey|Digest|Negotiate|Key)\s+|base64:", re.IGNORECASE)
_MIN_LENGTH = 4
_MAX_LENGTH = 1024
_MIN_CHOSEN_WITH_DIGITS = 7
_MIN_TOKEN = 16
_MIN_UNNAMED = 32
_UNEVEN = 3.0
_NO_WORD = 0.3
_KINDS = {
    Family.PASSWORD: "password",
    Family.SECRET: "token",
    Family.KEY: "api-key",
    Family.WEAK: "generated-value",
}


@lru_cache(maxsize=8192)
def judge(name: str, value: str, place: Place) -> str | None:
    """The kind of secret that stands under a name, or None.

    Args:
        name: the field, variable or option, as it is written.
        value: the literal without its quotes.
        place: what kind of text it stands in.
    """
    promised = family(name)
    if promised is None or len(value) > _MAX_LENGTH:
        return None
    value = _SCHEME.sub("", value.strip(), count=1)
    if len(value) < _MIN_LENGTH or _is_code(name, value) or not _is_meant(promised, value, place):
        return None
    in_configuration = place is Place.CONFIGURATION
    shows = (
        _shows(promised, name, value)
        if in_configuration
        else looks_drawn(value) or _shows_in_code(promised, value)
    )
    return _KINDS[promised] if shows else None


def _is_code(name: str, value: str) -> bool:
    """Whether a variable is handed on under its own name, in code inside a text: `token=x.token,`."""
    found = _CODE.fullmatch(value)
    return found is not None and found["name"].lower() == name.lower()


def _is_meant(promised: Family, value: str, place: Place) -> bool:
    """Whether a value is one at all, and no reference, placeholder, switch or number."""
    if promised is Family.PASSWORD and value.isdigit():
        return place is Place.CONFIGURATION and not is_placeholder(value)
    return not is_benign(value)


def _shows(promised: Family, name: str, value: str) -> bool:
    """In a configuration: what the name promises, unless the value is plainly something else."""
    if promised is Family.WEAK:
        return looks_generated(value) and _UUID.fullmatch(value) is None
    if _names_another(value):
        return False
    if promised is Family.PASSWORD:
        return not _is_label(value)
    if any(character.isspace() for character in value):
        return False
    # An environment variable holds values, not names of things.
    return _VARIABLE.fullmatch(name) is not None or not _names_a_thing(value)


def _shows_in_code(promised: Family, value: str) -> bool:
    """In code and prose: what the name promises, and looks like it."""
    if any(character.isspace() for character in value) or _FORMAT.search(value) is not None:
        return False
    if promised is Family.WEAK:
        return looks_generated(value) and len(value) >= _MIN_UNNAMED and _UUID.fullmatch(value) is None
    if _names_another(value):
        return False
    if promised is Family.PASSWORD and _PASSPHRASE.fullmatch(value) is not None:
        return True
    if _IDENTIFIER.fullmatch(value) is not None and not looks_generated(value):
        return False
    return _looks_chosen(value) if promised is Family.PASSWORD else _looks_issued(value)


def _names_another(value: str) -> bool:
    """Whether the value is a sensitive name itself: `key: db-password` says which entry is meant."""
    if value.isalpha():
        return family(value) is Family.PASSWORD
    return _PARTS.sub("", value).isalpha() and is_sensitive_name(value)


def _names_a_thing(value: str) -> bool:
    """Whether the value is the name of a resource (`orders-db`, `team/orders`) or a single word."""
    if _UUID.fullmatch(value) is not None:
        return False
    if _ONE_WORD.fullmatch(value) is not None:
        return value.islower() or value.istitle() or value.isupper()
    if _RESOURCE_NAME.fullmatch(value) is None or looks_generated(value):
        return False
    return not any(looks_generated(part) for part in _PARTS.split(value))


def _is_label(value: str) -> bool:
    """Whether a text for people stands where a password could: `Your password:`, `Enter …`."""
    if _LABEL.fullmatch(value) is None:
        return False
    return value[0].isupper() or "password" in value.lower() or value[-1] in ".:?!"


def _looks_chosen(value: str) -> bool:
    """Whether a person chose this as a password: letters with digits or signs, and no word with a number."""
    if not any(character.isalpha() for character in value):
        return False
    digits = any(character.isdigit() for character in value)
    signs = any(not character.isalnum() and character not in "._-/: " for character in value)
    mixed = not (value.islower() or value.isupper() or value.istitle())
    return (digits and len(value) >= _MIN_CHOSEN_WITH_DIGITS) or (signs and (mixed or digits))


def _looks_issued(value: str) -> bool:
    """Whether a machine issued this as a token or key."""
    if len(value) < _MIN_TOKEN:
        return False
    if looks_generated(value) or _UUID.fullmatch(value) is not None:
        return True
    digits = any(character.isdigit() for character in value)
    return digits and "." not in value and entropy(value) >= _UNEVEN and word_likeness(value) < _NO_WORD
