"""What does a browser bring to an authorization endpoint? RFC 6749 §4.1.1, with PKCE (RFC 7636)."""

import base64
import hashlib
from collections.abc import Mapping
from urllib.parse import urlencode


def authorization_address(
    endpoint: str, *, client: str, redirect_uri: str, state: str, verifier: str, asked: Mapping[str, str]
) -> str:
    """The address to open.

    Args:
        endpoint: the issuer's authorization endpoint; what its query says stays.
        client: who we are there.
        redirect_uri: where the browser comes back to.
        state: what tells the answer to this question from others.
        verifier: what will prove that whoever redeems the code has asked for it.
        asked: `scope` and whatever else is asked for.
    """
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    parameters = {
        "response_type": "code",
        "client_id": client,
        "redirect_uri": redirect_uri,
        "state": state,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii"),
        "code_challenge_method": "S256",
        **asked,
    }
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(parameters)}"
