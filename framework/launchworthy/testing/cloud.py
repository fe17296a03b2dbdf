"""What does AWS STS look like to a workload? One action, its XML, and a role that can be assumed."""

import asyncio
import secrets
import socket
import time
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from launchworthy.testing.issuer_faults import Fault, answer
from launchworthy.testing.listening import Listening

_ANSWER = """<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleWithWebIdentityResult><Credentials>
<SessionToken>{session}</SessionToken><SecretAccessKey>{secret}</SecretAccessKey>
<Expiration>{ends}</Expiration><AccessKeyId>{key}</AccessKeyId>
</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"""


class SimulatedSts:
    """One STS. A context manager.

    Attributes:
        address: where it is.
        fault: what it does instead of answering.
        asked: the parameters of every request, without the token.
    """

    def __init__(self) -> None:
        """Take a free port."""
        with socket.create_server(("127.0.0.1", 0)) as found:
            self._port: int = found.getsockname()[1]
        self.address = f"http://127.0.0.1:{self._port}"
        self.fault = Fault.NONE
        self.asked: list[dict[str, str]] = []
        self._listening: Listening | None = None

    def __enter__(self) -> Self:
        """Start it."""
        self._listening = Listening(self._build, self._port, name="simulated-sts")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        if self._listening is not None:
            self._listening.stop()
            self._listening = None

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
