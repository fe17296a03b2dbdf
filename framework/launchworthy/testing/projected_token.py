"""Which token does the platform project into the container? A file that is renewed while it is watched."""

import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from joserfc import jwt
from joserfc.jwk import ECKey

from launchworthy.vocabulary import SIMULATED_TRUST_DOMAIN

AUDIENCE = f"https://{SIMULATED_TRUST_DOMAIN}/platform"


class ProjectedTokenFile:
    """A token file as a kubelet keeps it: written whole, renamed into place, renewed in time."""

    def __init__(self, path: Path, *, subject: str, ttl: float = 600.0, audience: str = AUDIENCE) -> None:
        """Say where and for whom; nothing is written before it is entered."""
        self.path = path
        self.subject = subject
        self._ttl = ttl
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
        now = int(time.time())
        said = {
            "iss": f"https://{SIMULATED_TRUST_DOMAIN}",
            "sub": self.subject,
            "aud": [self._audience],
            "iat": now,
            "nbf": now,
            "exp": now + int(self._ttl),
        }
        token = jwt.encode({"alg": "ES256", "kid": "simulated-platform"}, said | claims, self._key)
        fresh = self.path.with_suffix(".new")
        fresh.write_text(token)
        fresh.chmod(0o600)
        fresh.replace(self.path)

    def _keep(self) -> None:
        while not self._ending.wait(self._ttl / 2):
            self.renew()
