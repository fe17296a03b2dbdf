"""Does this text hold a secret? Patterns, checksums, context; text in, findings out."""

from launchworthy.detection.finding import Finding
from launchworthy.detection.fingerprint import fingerprint
from launchworthy.detection.names import is_sensitive_name
from launchworthy.detection.scan import find_secrets, is_secret_value

__all__ = ["Finding", "find_secrets", "fingerprint", "is_secret_value", "is_sensitive_name"]
