"""How does a key get into OpenSSL without a disk? Python's `load_cert_chain` takes paths and nothing else.

On Linux the path is that of an anonymous file in memory. Elsewhere there is none, so the key is written
encrypted, with a password that never leaves this process, and the file is gone before this returns.
"""

import os
import secrets
import ssl
import tempfile
from collections.abc import Iterable
from pathlib import Path

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from launchworthy.identity.workload import X509Identity


def load_identity(context: ssl.SSLContext, identity: X509Identity) -> None:
    """Give a context our certificate chain and its key."""
    if hasattr(os, "memfd_create"):
        load_from_memory(context, identity)
    else:
        load_encrypted(context, identity)


def load_from_memory(context: ssl.SSLContext, identity: X509Identity) -> None:
    """By a file that exists in memory only (Linux)."""
    descriptor = os.memfd_create("svid", os.MFD_CLOEXEC)
    try:
        _write(descriptor, _pem(identity, NoEncryption()))
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)


def load_encrypted(context: ssl.SSLContext, identity: X509Identity) -> None:
    """By a file of mode 0600 that holds the key encrypted and is removed at once (macOS)."""
    password = secrets.token_urlsafe(32)
    descriptor, name = tempfile.mkstemp(prefix="svid-")
    try:
        _write(descriptor, _pem(identity, BestAvailableEncryption(password.encode())))
        context.load_cert_chain(name, password=password)
    finally:
        os.close(descriptor)
        Path(name).unlink()


def _pem(identity: X509Identity, encryption: KeySerializationEncryption) -> bytes:
    key = identity.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    return key + b"".join(_armoured(identity.chain))


def _armoured(chain: Iterable[bytes]) -> Iterable[bytes]:
    return (ssl.DER_cert_to_PEM_cert(each).encode("ascii") for each in chain)


def _write(descriptor: int, content: bytes) -> None:
    """Write all of it; a file in memory takes it at once, a disk may not."""
    while content:
        content = content[os.write(descriptor, content) :]
