"""How is a secret named without its value? By sixteen hexadecimal digits of scrypt.

A plain digest of a short secret is a lookup table, and an HMAC key would be one more secret to keep;
scrypt over a salt of the project's makes each guess cost some 50 ms and 16 MiB.
"""

import hashlib

from launchworthy.detection.finding import Finding

PREFIX = "lwf1-"
"""The version of the scheme: whoever changes a parameter below changes this too."""

MIN_SALT_BYTES = 8


def fingerprint(finding: Finding, salt: bytes) -> str:
    """Name a finding: `lwf1-6c1f0a9be2d47b35`.

    The same value has the same name in every file and line, and another one in another project.

    Args:
        finding: what `find_secrets` found.
        salt: the project's own, from `promotion.toml`; it need not be secret.

    Raises:
        ValueError: the salt is shorter than 8 bytes.
    """
    if len(salt) < MIN_SALT_BYTES:
        raise ValueError(f"a salt has at least {MIN_SALT_BYTES} bytes")
    value = finding.fingerprint_input.reveal().encode("utf-8", "surrogatepass")
    # RFC 7914 §2: N=2^14, r=8, p=1 need 16 MiB; 64 bits are enough for names within one project.
    return PREFIX + hashlib.scrypt(value, salt=salt, n=2**14, r=8, p=1, dklen=8).hex()
