"""Does this text hold a secret? Patterns, checksums, context; text in, findings out."""

from launchworthy.detection.finding import Finding
from launchworthy.detection.fingerprint import MIN_SALT_BYTES, fingerprint
from launchworthy.detection.names import is_sensitive_name
from launchworthy.detection.scan import find_secrets, find_shapes, is_fit_to_print, is_secret_value

__all__ = [
    "MIN_SALT_BYTES",
    "Finding",
    "find_secrets",
    "find_shapes",
    "fingerprint",
    "is_fit_to_print",
    "is_secret_value",
    "is_sensitive_name",
]
