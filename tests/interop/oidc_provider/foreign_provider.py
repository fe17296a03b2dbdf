"""The provider as a process, a client of it with a key, and somebody who signs in there."""

import asyncio
import json
import re
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2
from foreign_node import Node
from joserfc import jwt
from joserfc.jwk import ECKey
from mcp.client.auth.oauth2 import AuthorizationCodeResult

from launchworthy.testing.issuer_clients import ASSERTION_TYPE, SimulatedClient

HERE = Path(__file__).resolve().parent
CALLBACK = "http://127.0.0.1:9/callback"
DOCUMENT = "https://agent.acme.example/client.json"
DOCUMENT_OF_MACHINE = "https://agent.acme.example/machine.json"
DOCUMENT_OF_PERSON = "https://agent.acme.example/person.json"
OTHER = "https://payments.acme.example"
_TEMPORARY = (302, 303)


class Provider:
    """Enter it to start the process; leave it to end it."""

    def __init__(
        self, node: Node, resource: str, scopes: tuple[str, ...], *, others: tuple[str, ...] = (OTHER,)
    ) -> None:
        """Name what it issues tokens for: one resource, and other servers'."""
        self.agent = SimulatedClient("agent-with-a-key")
        self.hosted = SimulatedClient(DOCUMENT_OF_MACHINE)
        self._resource = resource
        proved = {
            each.client_id: {
                "client_id": each.client_id,
                "token_endpoint_auth_method": "private_key_jwt",
                "grant_types": ["client_credentials"],
                "redirect_uris": [],
                "response_types": [],
                "jwks": {"keys": [each.key.as_dict(private=False) | {"use": "sig", "alg": "ES256"}]},
            }
            for each in (self.agent, self.hosted)
        }
        public = {
            "grant_types": ["authorization_code"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        }
        settings = {
            "modules": str(node.folder / "package.json"),
            "resources": dict.fromkeys((resource, *others), scopes),
            "clients": [proved[self.agent.client_id]],
            "documents": {
                DOCUMENT: {
                    "client_id": DOCUMENT,
                    "client_name": "Agent",
                    "redirect_uris": [CALLBACK],
                    **public,
                },
                DOCUMENT_OF_MACHINE: proved[DOCUMENT_OF_MACHINE],
                DOCUMENT_OF_PERSON: {
                    "client_id": DOCUMENT_OF_PERSON,
                    "client_name": "Somebody at a keyboard",
                    "application_type": "native",
                    "redirect_uris": ["http://127.0.0.1/callback"],
                    **public,
                },
            },
        }
        self._command = [str(node.binary), str(HERE / "provider.mjs"), json.dumps(settings)]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        late = threading.Timer(20, self._process.kill)
        late.start()
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        late.cancel()
        assert line, "the provider did not start"
        self.issuer: str = json.loads(line)["issuer"]
        self.http = httpx2.Client(trust_env=False, timeout=10)
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def turn(self, what: str) -> dict[str, Any]:
        """Rotate, withdraw, break, repair, or only look."""
        return self.http.get(f"{self.issuer}/_test/{what}").json()

    def token(self, scope: str = "orders:read", *, proof: str | None = None, **changes: str) -> str:
        """A token by client credentials and `private_key_jwt`."""
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.agent.assertion(self.issuer, int(time.time())),
            "resource": self._resource,
            "scope": scope,
        } | changes
        headers = {} if proof is None else {"DPoP": proof}
        sent = {name: value for name, value in form.items() if value}
        answer = self.http.post(f"{self.issuer}/token", data=sent, headers=headers)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def proof_of_possession(self) -> str:
        """A DPoP proof for its token endpoint (RFC 9449)."""
        key = ECKey.generate_key("P-256")
        header = {"alg": "ES256", "typ": "dpop+jwt", "jwk": key.as_dict(private=False)}
        claims = {"jti": "proof-1", "htm": "POST", "htu": f"{self.issuer}/token", "iat": int(time.time())}
        return jwt.encode(header, claims, key)


class SentBack(Exception):
    """The provider sent the person back without a code; its text is the error's code."""


class Person:
    """Somebody with a browser at the provider's own pages: signs in as alice, consents, and is sent back."""

    def __init__(self, provider: Provider) -> None:
        """Nothing is open yet."""
        self._provider = provider
        self._address = ""

    async def open(self, url: str) -> None:
        [callback] = parse_qs(urlsplit(url).query)["redirect_uri"]
        async with httpx2.AsyncClient(trust_env=False, timeout=10) as browser:
            answer = await browser.get(url)
            for _ in range(12):
                if answer.status_code in _TEMPORARY:
                    self._address = urljoin(str(answer.url), answer.headers["location"])
                    if self._address.startswith(callback):
                        return
                    answer = await browser.get(self._address)
                    continue
                page = answer.text
                action = re.search(r'action="([^"]+)"', page)
                prompt = re.search(r'name="prompt" value="([^"]+)"', page)
                assert action is not None, page
                assert prompt is not None, page
                form = {"prompt": prompt[1], "login": "alice", "password": "anything"}
                answer = await browser.post(urljoin(str(answer.url), action[1]), data=form)
            raise AssertionError("the provider's pages did not end")

    def walk(self, url: str) -> None:
        """The same where the client waits on this machine: opens the address that it is sent back to."""
        asyncio.run(self.open(url))
        httpx2.get(self._address, trust_env=False, timeout=10).raise_for_status()

    async def come_back(self) -> AuthorizationCodeResult:
        query = {name: values[0] for name, values in parse_qs(urlsplit(self._address).query).items()}
        if "error" in query:
            raise SentBack(query["error"])
        return AuthorizationCodeResult(code=query["code"], state=query["state"], iss=query.get("iss"))
