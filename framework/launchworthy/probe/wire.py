"""How are requests sent to a server that nobody vouches for? Few, slowly, and with an end to each of them.

Each exchange has a time and a number of bytes, all of them together have a rate, a number and a time;
redirects are not followed, nothing is decompressed, and proxies, netrc and cookies of this machine are
never used. A server that stops answering is left alone.
"""

import asyncio
import ssl
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

import httpx2

from launchworthy._version import __version__
from launchworthy.probe.answer import Answer, read_answer, read_message
from launchworthy.probe.challenge import read_challenges

AGENT: Final = f"launchworthy-probe/{__version__}"
_SILENCES = 3
"""Exchanges in a row without an answer, after which a server is left alone."""
_WAIT_SECONDS = 10.0
"""The longest that is waited because a server asks to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much is asked of a server.

    Attributes:
        per_second: requests.
        requests: in all.
        seconds: in all.
        answer_seconds: that one exchange may take.
        answer_bytes: that are read of one answer.
    """

    per_second: float
    requests: int
    seconds: float = 900.0
    answer_seconds: float = 10.0
    answer_bytes: int = 256 * 1024


class Ended(Exception):
    """No more requests are sent; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What came of one exchange.

    Attributes:
        answer: what came back; None where nothing whole did.
        why: why there is none; empty where there is one.
    """

    answer: Answer | None
    why: str = ""


class Wire:
    """A polite connection to one server. Close it, or use it as a context manager.

    Attributes:
        requests: how many were sent.
    """

    def __init__(self, bounds: Bounds, verify: ssl.SSLContext) -> None:
        """Send nothing yet.

        Args:
            bounds: how much may be asked.
            verify: whose certificates are believed.
        """
        self.requests = 0
        self._bounds = bounds
        self._began = time.monotonic()
        self._next = self._began
        self._silent = 0
        self._runner = asyncio.Runner()
        self._http = httpx2.AsyncClient(
            verify=verify, trust_env=False, follow_redirects=False, timeout=bounds.answer_seconds
        )

    def __enter__(self) -> Self:
        """Nothing is sent yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._runner.run(self._http.aclose())
        self._runner.close()

    def send(self, request: httpx2.Request) -> Heard:
        """Send a request when it is its turn, and read the answer as far as the bounds allow.

        Raises:
            Ended: a bound of the whole run is reached, or the server has stopped answering.
        """
        if self.requests >= self._bounds.requests:
            raise Ended(f"{self._bounds.requests} requests were sent, which is the limit")
        if time.monotonic() - self._began > self._bounds.seconds:
            raise Ended(f"{self._bounds.seconds:.0f} seconds have passed, which is the limit")
        if self._silent >= _SILENCES:
            raise Ended(f"the server did not answer {_SILENCES} times in a row")
        heard = self._runner.run(self._send(request))
        self._silent = 0 if heard.answer is not None else self._silent + 1
        return heard

    def wait(self, seconds: float) -> bool:
        """Wait because the server asks to; false where it asks for longer than anybody would."""
        if seconds > _WAIT_SECONDS:
            return False
        self._next = max(self._next, time.monotonic() + seconds)
        return True

    async def _send(self, request: httpx2.Request) -> Heard:
        await asyncio.sleep(max(0.0, self._next - time.monotonic()))
        self._next = max(self._next, time.monotonic()) + 1 / self._bounds.per_second
        self.requests += 1
        request.headers.setdefault("user-agent", AGENT)
        request.headers.setdefault("accept-encoding", "identity")
        response: httpx2.Response | None = None
        try:
            async with asyncio.timeout(self._bounds.answer_seconds):
                response = await self._http.send(request, stream=True)
                return await self._read(response)
        except TimeoutError:
            return Heard(answer=None, why=f"no whole answer within {self._bounds.answer_seconds:.0f} s")
        except (httpx2.TransportError, httpx2.InvalidURL, httpx2.StreamError, ValueError) as error:
            return Heard(answer=None, why=_transport(error))
        finally:
            if response is not None:
                await response.aclose()

    async def _read(self, response: httpx2.Response) -> Heard:
        body = b""
        stream = response.headers.get("content-type", "").startswith("text/event-stream")
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > self._bounds.answer_bytes:
                return Heard(answer=None, why=f"the answer is longer than {self._bounds.answer_bytes} bytes")
            if stream and _is_answered(body):
                break
        if response.headers.get("content-encoding", "identity") != "identity":
            return Heard(answer=None, why="the answer is compressed, which was not asked for")
        return Heard(answer=read_answer(response, body=body, challenge=read_challenges))


def _is_answered(body: bytes) -> bool:
    """Whether an event stream has had its answer; what may follow is not waited for."""
    whole = body[: body.rfind(b"\n") + 1]
    message = read_message("text/event-stream", whole)
    return "result" in message or "error" in message


def _transport(error: Exception) -> str:
    """Why there was no answer, without what a server may have written into it."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not to be trusted: {cause.verify_message}"
        cause = cause.__cause__ or cause.__context__
    return _WHY.get(type(error).__name__, "the exchange broke off")


_WHY = {
    "ConnectError": "nothing answers there",
    "ConnectTimeout": "nothing answers there in time",
    "ReadTimeout": "no answer in time",
    "ReadError": "the connection was closed without an answer",
    "RemoteProtocolError": "what came back is no HTTP",
}
