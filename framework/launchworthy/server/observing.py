"""Is anybody to be told of calls besides the audit? Only where the settings name a collector."""

import platform
import ssl

from launchworthy._version import __version__
from launchworthy.enforcement.ports import Recorder
from launchworthy.server.parts import Parts
from launchworthy.server.record_dates import seconds_left
from launchworthy.vocabulary import Problem, StartupRefused


def observed_audit(parts: Parts) -> Recorder:
    """The audit for the gate to write to: itself, unless traces and metrics are wanted.

    Raises:
        StartupRefused: they are wanted, and what exports them is not installed.
    """
    endpoint = parts.settings.telemetry.endpoint
    if endpoint is None:
        return parts.audit
    try:
        from launchworthy.server.telemetry_export import export_to  # noqa: PLC0415 - an extra, 60 ms
    except ModuleNotFoundError as error:
        problem = Problem(
            reason="extra-missing",
            what=f"[telemetry] needs `{error.name}`, which is not installed",
            fix=("pip install 'launchworthy[otel]', or take [telemetry] out",),
            field="telemetry.endpoint",
        )
        raise StartupRefused("listen", problem) from None
    from launchworthy.server.identity_metrics import identity_metrics  # noqa: PLC0415
    from launchworthy.server.telemetry import ObservedAudit, Telemetry, gauges, record_gauge  # noqa: PLC0415

    about = {
        "service.name": parts.manifests.server.name,
        "service.version": __version__,
        "service.instance.id": platform.node(),
        "deployment.environment.name": parts.settings.environment.value,
    }
    exporting = export_to(endpoint, tls=ssl.create_default_context(), about=about)
    parts.stack.callback(exporting.close)
    log = parts.surroundings.operations_log
    gauges(exporting.meter, parts.audit, log.scrubber.hits.total if log is not None else int)
    record_gauge(exporting.meter, lambda: seconds_left(parts))
    identity_metrics(exporting.meter, parts.identity, parts.surroundings.clock)
    telemetry = Telemetry(
        exporting.tracer,
        exporting.meter,
        known=frozenset(one.manifest.name for one in parts.served),
        clock=lambda: int(parts.surroundings.clock() * 1_000_000_000),
    )
    return ObservedAudit(parts.audit, telemetry)
