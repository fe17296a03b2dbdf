"""Which numbers tell how the workload's identity does? Seconds left, usable or not, and what happened to it.

The audit has each change with its reason; these are for an alarm before an identity ends.
"""

from collections.abc import Callable, Iterable

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from launchworthy.identity import IdentityChange, WorkloadIdentity


def identity_metrics(meter: Meter, identity: WorkloadIdentity, clock: Callable[[], float]) -> None:
    """Show the identity in numbers from now on.

    Args:
        meter: makes them.
        identity: whose.
        clock: seconds since the epoch.
    """
    changes = meter.create_counter(
        "launchworthy.identity.changes", description="What happened to the identity, by kind."
    )

    def changed(change: IdentityChange) -> None:
        changes.add(1, {"launchworthy.change": change.kind.value})

    def left(_options: CallbackOptions) -> Iterable[Observation]:
        not_after = identity.status().not_after
        if not_after is not None:
            yield Observation(max(0.0, not_after - clock()))

    def usable(_options: CallbackOptions) -> Iterable[Observation]:
        status = identity.status()
        yield Observation(int(status.usable), {"launchworthy.phase": status.phase.value})

    identity.on_change(changed)
    meter.create_observable_gauge(
        "launchworthy.identity.left", [left], unit="s", description="Until the identity in hand ends."
    )
    meter.create_observable_gauge("launchworthy.identity.usable", [usable], description="1 or 0, by phase.")
