"""Is a lease no wider than what was asked for? Pure."""

from launchworthy.credentials.lease import CredentialRequest, Lease


def too_wide(lease: Lease, request: CredentialRequest, *, asked_at: int) -> str | None:
    """What is wrong with a lease, or None.

    Args:
        lease: as the broker gave it.
        request: what was asked.
        asked_at: seconds since the epoch, before it was asked.
    """
    wider = sorted(set(lease.scopes) - set(request.scopes))
    if wider:
        return f"it came with scopes that were not asked for: {', '.join(f'`{each}`' for each in wider)}"
    if lease.not_after <= asked_at:
        return "it had ended when it came"
    longer = lease.not_after - asked_at - request.ttl
    if longer > 0:
        return (
            f"it lives {longer} s longer than the {request.ttl} s that the manifest allows; "
            "set its lifetime where it is issued"
        )
    return None
