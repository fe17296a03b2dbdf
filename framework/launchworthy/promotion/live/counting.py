"""Does a live run count as evidence? Of this server's staging, whole, young, and said by staging itself."""

from collections.abc import Mapping, Sequence

from cryptography.x509 import Certificate

from launchworthy.audit.binding import trust_domain_of
from launchworthy.audit.canary import CanaryError, Sighting, verify_signed
from launchworthy.promotion.live.document import DAYS, How, LiveDocument, Step
from launchworthy.promotion.live.through import read_sighting
from launchworthy.settings import Settings

_DAY = 86_400
_SKEW = 300
"""Seconds that clocks may differ."""


class DoesNotCount(ValueError):
    """The run is no evidence; the text says why."""


def require_counts(
    run: LiveDocument,
    *,
    project: str,
    settings: Settings,
    roots: Mapping[str, Sequence[Certificate]],
    now: int,
) -> str:
    """See that a run is evidence; returns in words what it shows.

    Args:
        run: as it was read.
        project: by the manifest.
        settings: of the environment that must have been looked at.
        roots: by trust domain, as the platform pinned them.
        now: seconds since the epoch.

    Raises:
        DoesNotCount: it is none.
    """
    _require_ours(run, project, settings)
    if not -_SKEW <= now - run.started_at <= DAYS * _DAY:
        raise DoesNotCount(f"it is {(now - run.started_at) / _DAY:.1f} days old, and {DAYS} are allowed")
    if run.wrong:
        raise DoesNotCount(f"it found {run.wrong[0].step.value} wrong: {run.wrong[0].says}")
    if run.missing:
        raise DoesNotCount(f"it did not see: {', '.join(step.value for step in run.missing)}")
    if settings.promotion.judges and not any(
        row.step is Step.JUDGES and row.how is How.RIGHT for row in run.rows
    ):
        raise DoesNotCount("[promotion] judges requires second judges, and none looked")
    if run.canary is None:
        raise DoesNotCount("it has no canary")
    try:
        return _said(read_sighting(run.canary, settings.server.resource), run, settings, roots)
    except CanaryError as error:
        raise DoesNotCount(f"its canary counts for nothing: {error}") from None


def _require_ours(run: LiveDocument, project: str, settings: Settings) -> None:
    environment, resource = settings.environment.value, settings.server.resource
    if (run.project, run.environment, run.url) != (project, environment, resource):
        raise DoesNotCount(f"it is of {run.project} in {run.environment} at {run.url}, not of {resource}")
    if run.issuer not in {table.issuer for table in settings.issuers.values()}:
        raise DoesNotCount(
            f"its tokens were of {run.issuer}, which the settings of {environment} do not name"
        )


def _said(
    sighting: Sighting, run: LiveDocument, settings: Settings, roots: Mapping[str, Sequence[Certificate]]
) -> str:
    """What the server said, where it was the server.

    Raises:
        CanaryError: it was not.
        DoesNotCount: it was at another time.
    """
    if abs(sighting.at - run.started_at) > _SKEW:
        raise DoesNotCount("its canary is of another time")
    if settings.identity.kind != "spiffe":
        return f"the server said what it saw (call {sighting.call}); its identity has no key to sign it"
    source = settings.identity.expected_id
    verify_signed(sighting, source=source, roots=roots.get(trust_domain_of(source), ()))
    return f"the server said what it saw (call {sighting.call}), signed by {source}"
