"""A challenge tells a client what to do, survives truncation, and cannot be injected into."""

import re

import pytest

from launchworthy.tokens import challenge

URL = "https://orders.acme.example/.well-known/oauth-protected-resource/mcp"


def test_without_a_token_there_is_no_error() -> None:
    value = challenge(error=None, scope=("orders:read",), resource_metadata=URL, description=None)
    assert value == f'Bearer scope="orders:read", resource_metadata="{URL}"'


def test_a_missing_scope_names_all_scopes_and_the_sentence_comes_last() -> None:
    value = challenge(
        error="insufficient_scope",
        scope=("a", "b"),
        resource_metadata=URL,
        description="this call needs more",
    )
    names = re.findall(r'(\w+)="', value)
    assert names == ["error", "scope", "resource_metadata", "error_description"]
    assert 'scope="a b"' in value


def test_a_bad_token_may_come_without_scopes() -> None:
    value = challenge(error="invalid_token", scope=(), resource_metadata=URL, description=None)
    assert value == f'Bearer error="invalid_token", resource_metadata="{URL}"'


@pytest.mark.parametrize(
    "change",
    [
        {"error": "invalid_grant"},
        {"error": 'invalid_token", x="'},
        {"error": ""},
        {"scope": ("a b",)},
        {"scope": ('a"',)},
        {"scope": ("",)},
        {"scope": ("a\r\nX: y",)},
        {"error": "insufficient_scope", "scope": ()},
        {"resource_metadata": 'https://x/"'},
        {"resource_metadata": "https://x/\r\n"},
        {"resource_metadata": "https://x/ y"},
        {"resource_metadata": "x"},
        {"resource_metadata": "https://x/\\"},
        {"description": 'a"b'},
        {"description": "a\\b"},
        {"description": "a\r\nb"},
        {"description": "é"},
        {"description": ""},
        {"description": "x" * 201},
        {"error": None, "description": "nothing was wrong"},
    ],
)
def test_what_cannot_be_quoted_is_refused(change: dict[str, object]) -> None:
    good: dict[str, object] = {
        "error": "invalid_token", "scope": ("a",), "resource_metadata": URL, "description": "try again",
    }  # fmt: skip
    challenge(**good)  # type: ignore[arg-type]
    with pytest.raises(ValueError):  # noqa: PT011 - one kind of error, many causes
        challenge(**good | change)  # type: ignore[arg-type]
