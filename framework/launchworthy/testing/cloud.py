"""What does AWS STS look like to a workload? One action, its XML, and a role that can be assumed."""

import asyncio
import secrets
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from launchworthy.testing.issuer_faults import Fault, answer
from launchworthy.testing.listening import Listening, Listens
from launchworthy.testing.waiting import free_port

_ANSWER = """<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleWithWebIdentityResult><Credentials>
<SessionToken>{session}</SessionToken><SecretAccessKey>{secret}</SecretAccessKey>
<Expiration>{ends}</Expiration><AccessKeyId>{key}</AccessKeyId>
</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"""


class SimulatedSts(Listens):
    """One STS. A context manager.

    Attributes:
        address: where it is.
        fault: what it does instead of answering.
        asked: the parameters of every request, without the token.
    """

    def __init__(self) -> None:
        """Take a free port."""
        self._port = free_port()
        self.address = f"http://127.0.0.1:{self._port}"
        self.fault = Fault.NONE
        self.asked: list[dict[str, str]] = []

    def _listen(self) -> Listening:
        return Listening(self._build, self._port, name="simulated-sts")

    def _build(self, ended: asyncio.Event) -> ASGIApp:
        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope, receive)
            form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
            response = (
                await answer(self.fault, {}, ended) if self.fault is not Fault.NONE else self._assume(form)
            )
            await response(scope, receive, send)

        return serve

    def _assume(self, form: dict[str, Any]) -> Response:
        if not form.pop("WebIdentityToken", ""):
            return Response("<ErrorResponse/>", status_code=400, media_type="text/xml")
        self.asked.append(form)
        ends = datetime.fromtimestamp(int(time.time()) + int(form["DurationSeconds"]), UTC)
        text = _ANSWER.format(
            session=secrets.token_hex(32),
            secret=secrets.token_hex(20),
            key=f"SIM{secrets.token_hex(8).upper()}",
            ends=ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
        return Response(text, media_type="text/xml")
