"""What lies in a mounted file? A secret that its keeper changes, read anew for each call.

The last resort, for an upstream that knows nothing better: nobody can take it back, and it lives as long as
its keeper lets it. It is by reference only, below the roots that the reference's grammar allows; the file
must not be readable by others nor writable by the group, and no link may lead out of its root.
"""

import asyncio
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from launchworthy.credentials.errors import BrokerError
from launchworthy.credentials.lease import CredentialRequest, Lease, Revocation
from launchworthy.vocabulary import Secret, SecretRef, SecretScheme

MAX_BYTES: Final = 64 * 1024
MAX_TTL: Final = 3600
_OTHERS: Final = stat.S_IRWXO | stat.S_IWGRP


class MountedFile:
    """A `CredentialBroker` for one mounted file."""

    name = "file"
    max_ttl = MAX_TTL

    def __init__(
        self, reference: SecretRef, root: Path, *, clock: Callable[[], float], new_id: Callable[[], str]
    ) -> None:
        """Read where the reference says.

        Args:
            reference: of the settings, its grammar checked.
            root: what no link may lead out of.
            clock: seconds since the epoch.
            new_id: names leases.

        Raises:
            ValueError: it is no reference to a file.
        """
        if reference.scheme is not SecretScheme.FILE:
            raise ValueError("a mounted file is referred to as `file:/run/secrets/…`")
        self._path = Path(reference.locator)
        self._root = root
        self._clock = clock
        self._new_id = new_id

    async def issue(self, request: CredentialRequest) -> Lease:
        """Read the file as it is now.

        Raises:
            BrokerError: it is not there, open to others, or not one line of text.
        """
        secret = await asyncio.to_thread(self._read)
        return Lease(
            id=self._new_id(),
            credential=request.credential,
            broker=self.name,
            resource=None,
            secret=secret,
            parts={},
            scopes=(),
            not_after=int(self._clock()) + request.ttl,
            revocation=Revocation.KEEPER,
            handle=None,
        )

    async def revoke(self, lease: Lease) -> None:
        """Nothing: it is the keeper's."""

    async def aclose(self) -> None:
        """Nothing is open."""

    def _read(self) -> Secret:
        try:
            place = self._path.resolve(strict=True)
            if not place.is_relative_to(self._root.resolve(strict=True)):
                raise BrokerError("a link leads out of the folder of secrets")
            with place.open("rb") as file:
                found = os.fstat(file.fileno())
                content = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise BrokerError(f"the mounted file cannot be read ({type(error).__name__})") from None
        if not stat.S_ISREG(found.st_mode) or found.st_mode & _OTHERS:
            raise BrokerError("the mounted file is no file, or others may read it, or its group may write it")
        return _text(content)


def _text(content: bytes) -> Secret:
    try:
        text = content.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise BrokerError("the mounted file is no text") from None
    if len(content) > MAX_BYTES or text == "" or not text.isprintable():
        raise BrokerError("the mounted file is empty, too long, or not one line of text")
    return Secret(text)
