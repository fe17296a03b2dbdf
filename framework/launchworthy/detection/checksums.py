"""Checksums that providers put into their tokens, where they are public."""

import zlib

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECKSUM_LENGTH = 6


def base62(number: int, width: int) -> str:
    """A number in base 62 (digits, upper case, lower case), padded with zeros."""
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = _BASE62[rest] + digits
    return digits.rjust(width, "0")


def crc32_base62_fits(token: str) -> bool:
    """Whether the last six characters are the CRC-32 of the random part, as GitHub and npm write it.

    The random part stands between the prefix (up to the last underscore) and the checksum; see GitHub's
    description of its token formats (2021-04-05).
    """
    random_part = token.rpartition("_")[2]
    body, checksum = random_part[:-_CHECKSUM_LENGTH], random_part[-_CHECKSUM_LENGTH:]
    return base62(zlib.crc32(body.encode()), _CHECKSUM_LENGTH) == checksum
