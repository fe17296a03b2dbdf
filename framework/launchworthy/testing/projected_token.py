"""Which token does the platform project into the container? A file that is renewed while it is watched."""

import math
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from joserfc import jwt
from joserfc.jwk import ECKey

from launchworthy.identity.token_file import MIN_LEFT
from launchworthy.vocabulary import SIMULATED_TRUST_DOMAIN

USABLE = 600.0 - MIN_LEFT
"""Seconds: a token of ten minutes, the shortest that a kubelet projects."""
AUDIENCE = f"https://{SIMULATED_TRUST_DOMAIN}/platform"


class ProjectedTokenFile:
    """A token file as a kubelet keeps it: written whole, renamed into place, renewed in time."""

    def __init__(self, path: Path, *, subject: str, usable: float = USABLE, audience: str = AUDIENCE) -> None:
        """Say where, for whom and for how long; nothing is written before it is entered.

        Args:
            path: of the file.
            subject: the workload's identity.
            usable: seconds for which a server works with one token; it is good for `MIN_LEFT` more, which
                no server uses, and renewed at half of this.
            audience: to whom it may be shown.
        """
        self.path = path
        self.subject = subject
        self._usable = usable
        self._audience = audience
        self._key = ECKey.generate_key("P-256")
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="projected-token", daemon=True)

    def __enter__(self) -> Self:
        """Write the first token and keep renewing it."""
        self.renew()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop renewing; the file stays as it is."""
        self._ending.set()
        self._thread.join()

    def jwks(self) -> dict[str, Any]:
        """The key that the platform signs with."""
        return {"keys": [{**self._key.as_dict(private=False), "kid": "simulated-platform"}]}

    def stop_renewing(self) -> None:
        """As when the platform has forgotten this pod."""
        self._ending.set()

    def renew(self, **claims: object) -> None:
        """Write a new token; `claims` replace what it says."""
        began = time.time()
        now = int(began)
        said = {
            "iss": f"https://{SIMULATED_TRUST_DOMAIN}",
            "sub": self.subject,
            "aud": [self._audience],
            "iat": now,
            "nbf": now,
            "exp": math.ceil(began + self._usable + MIN_LEFT),
        }
        token = jwt.encode({"alg": "ES256", "kid": "simulated-platform"}, said | claims, self._key)
        fresh = self.path.with_suffix(".new")
        fresh.write_text(token)
        fresh.chmod(0o600)
        fresh.replace(self.path)

    def _keep(self) -> None:
        while not self._ending.wait(self._usable / 2):
            self.renew()
