"""Where is the page on which people approve calls? Below one folder, on the resource's own origin."""

from typing import Final
from urllib.parse import urlsplit

APPROVAL_FOLDER: Final = "/approval/"
"""The first part of every address of the page."""
SIGNED_IN: Final = f"{APPROVAL_FOLDER}signed-in"
"""Where the authorization server sends browsers back to: exactly this, for every question."""


def resource_origin(resource: str) -> str:
    """The origin of a canonical resource URL."""
    parts = urlsplit(resource)
    return f"{parts.scheme}://{parts.netloc}"


def sign_in_redirect(resource: str) -> str:
    """The redirect URI of a server, as its authorization server must know it."""
    return f"{resource_origin(resource)}{SIGNED_IN}"
