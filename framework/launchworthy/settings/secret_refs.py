"""How is a reference to a secret written? `file:/run/secrets/key`, `openbao:payments/creds#password`."""

import re
from pathlib import PurePosixPath

from launchworthy.detection import is_secret_value
from launchworthy.vocabulary import SecretRef, SecretScheme

_REFERENCE = re.compile(r"(file|openbao):([^#@\s]{1,255})(?:#([A-Za-z0-9_.-]{1,64}))?(?:@([0-9]{1,9}))?")
_BAO_PATH = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_.-]+)+")
_ROOTS = (PurePosixPath("/run/secrets"), PurePosixPath("/run/credentials"))


def parse_secret_ref(text: str, *, credentials_directory: str | None = None) -> SecretRef:
    """Read a reference; the value that it stands for is never here.

    Args:
        text: as it is written.
        credentials_directory: where systemd keeps this service's credentials (`$CREDENTIALS_DIRECTORY`); a
            root of `file:` besides the usual two.

    Raises:
        ValueError: it follows no scheme's grammar, leaves its root, or is itself a secret.
    """
    found = _REFERENCE.fullmatch(text)
    if found is None:
        raise ValueError("a reference is `file:` or `openbao:` and a path")
    scheme, locator, key, version = SecretScheme(found[1]), found[2], found[3], found[4]
    if scheme is SecretScheme.FILE:
        path = PurePosixPath(locator)
        roots = _roots(credentials_directory)
        if ".." in path.parts or not any(path.is_relative_to(root) and path != root for root in roots):
            raise ValueError("a file reference lies below /run/secrets or /run/credentials")
    elif _BAO_PATH.fullmatch(locator) is None or {".", ".."} & set(locator.split("/")):
        raise ValueError("an openbao reference is a mount and a path")
    if is_secret_value("reference", locator) is not None:
        raise ValueError("a reference names a place, and this looks like the secret itself")
    return SecretRef(scheme=scheme, locator=locator, key=key, version=version)


def _roots(credentials_directory: str | None) -> tuple[PurePosixPath, ...]:
    own = PurePosixPath(credentials_directory or "")
    if not own.is_absolute() or ".." in own.parts or own == PurePosixPath("/"):
        return _ROOTS
    return (*_ROOTS, own)
