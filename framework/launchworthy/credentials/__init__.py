"""Which short-lived credential does this call get, and who takes it back? For now: what a call looks like."""

from launchworthy.credentials.call import Call, CallLog

__all__ = ["Call", "CallLog"]
