"""Who gets through the handshake of the built server? Only where the settings say `tls = "spiffe"`."""

import ssl
import time
from collections.abc import Iterator, Mapping

from launchworthy.probe.running import Observation, Prober
from launchworthy.promotion.registry import registry
from launchworthy.promotion.rehearsals.seen import Seen, good, saw, status, told, twin
from launchworthy.promotion.rehearsals.stage import Scene, Stage
from launchworthy.testing.authority import SimulatedAuthority
from launchworthy.testing.caller_tls import caller_tls
from launchworthy.testing.world import CALLER

_TTL = 600.0
_BAD_REQUEST = 400


@registry.rehearsal("TR-02")
def who_may_connect(stage: Stage) -> Iterator[Seen]:
    """Callers without a certificate, with another's, an expired one, another name, and without TLS."""
    if stage.project.settings.server.tls != "spiffe":
        return
    with stage.scene() as scene:
        yield twin("TR-02", good(scene.prober), "a workload that `server.peers` names gets through")
        for whose, context in _strangers(scene.world.authority).items():
            seen = _asked(scene, context)
            yield saw(
                "TR-02",
                seen.answer is None and seen.runs == 0,
                f"{whose}: the handshake is refused",
                f"{whose}: {told(seen)}",
                requests=1,
            )
        plain = _asked(scene, None)
        yield saw(
            "TR-02",
            status(plain) == _BAD_REQUEST and plain.runs == 0,
            f"plain HTTP: {told(plain)}",
            f"plain HTTP to a port that speaks TLS: {told(plain)}",
            requests=1,
        )
        yield twin("TR-02", good(scene.prober), "and it still does")


def _strangers(authority: SimulatedAuthority) -> Mapping[str, ssl.SSLContext]:
    other = SimulatedAuthority(clock=time.time)
    named = authority.spiffe_id(CALLER)
    return {
        "no certificate": caller_tls(authority, None),
        "a certificate of another authority": caller_tls(authority, other.mint_x509(CALLER, ttl=_TTL)),
        "an expired certificate": caller_tls(authority, authority.mint_x509(CALLER, ttl=_TTL, age=2 * _TTL)),
        "a workload that is not named": caller_tls(
            authority, authority.mint_x509(CALLER, ttl=_TTL, spiffe_id=f"{named}/other")
        ),
    }


def _asked(scene: Scene, context: ssl.SSLContext | None) -> Observation:
    """Send a good request over another connection; without a context, over none that is secured."""
    prober = Prober(scene.probed, scene.world.executions.taken, tls=context)
    try:
        draft = prober.draft(scene.probed.revisions[0])
        token = draft.token()
        request = draft.request(token)
        if context is None:
            request.url = request.url.copy_with(scheme="http")
        return prober.send_request(request, token)
    finally:
        prober.close()
