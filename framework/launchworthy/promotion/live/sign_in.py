"""How does a person get the tokens of a live run? They sign in at the issuer, once for each token.

The authorization code flow with PKCE, as clients of MCP walk it (RFC 6749 §4.1, RFC 7636, RFC 8707): the
browser comes back to a port of this machine.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from launchworthy.probe.issuing import CannotMint
from launchworthy.tokens.code_flow import WAIT_SECONDS, CodeFlow, CodeFlowError, Redirect

GRANT: Final = "authorization_code"
REDIRECT: Final = "http://127.0.0.1/callback"
"""What a client registers: whatever the port, it is this address (RFC 8252 §7.3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """Somebody who is there to sign in.

    Attributes:
        show: told the address to open, and what for.
        wait: seconds for the person, each time.
    """

    show: Callable[[str, str], None]
    wait: float = WAIT_SECONDS

    def code(
        self, metadata: Mapping[str, Any], *, issuer: str, client: str, asked: Mapping[str, str]
    ) -> dict[str, str]:
        """Have the person sign in; returns what the token endpoint is sent, with the code.

        Args:
            metadata: the issuer's, whose authorization endpoint was looked at.
            issuer: who asks the person.
            client: who we are there.
            asked: `scope` and `resource`.

        Raises:
            CannotMint: nobody came back, or not with a code that is the answer to this question.
        """
        with Redirect() as redirect:
            flow = CodeFlow(issuer=issuer, client=client, redirect_uri=redirect.uri)
            address = flow.address(str(metadata["authorization_endpoint"]), asked)
            self.show(f"a token for {asked['resource']}", address)
            answer = redirect.answer(self.wait)
        if answer is None:
            raise CannotMint(f"nobody came back from the sign-in within {self.wait:.0f} s")
        if metadata.get("authorization_response_iss_parameter_supported") is True and "iss" not in answer:
            raise CannotMint(
                "the answer to the sign-in does not say whose it is, as the issuer said it would"
            )
        try:
            return {"grant_type": GRANT, **flow.form(flow.code_of(answer))}
        except CodeFlowError as error:
            raise CannotMint(f"the sign-in failed: {error}") from None
