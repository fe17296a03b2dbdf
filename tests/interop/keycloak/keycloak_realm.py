"""Keycloak as a process, and one realm in it that issues tokens for one MCP server by Keycloak's own means.

It knows no resource indicators, so the audience is put into tokens by a mapper of the scopes. Everything is
made over its administration API: nothing is written where it is installed.
"""

import json
import os
import re
import secrets
import subprocess
import time
from contextlib import suppress
from html import unescape
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp.client.auth.oauth2 import AuthorizationCodeResult

from launchworthy.testing.issuer_clients import ASSERTION_TYPE, SimulatedClient
from launchworthy.testing.world import free_port

CALLBACK = "http://127.0.0.1:9/callback"
PERSON, BROWSER = "alice", "browser-agent"
START_SECONDS = 300
TYPED = "access.token.header.type.rfc9068"
"""The client's switch for `typ: at+jwt`."""


class Keycloak:
    """Enter it to start the process with an empty database in memory; leave it to end it."""

    def __init__(self, home: Path, scratch: Path) -> None:
        """Run what is installed at `home`; what it says goes to `scratch`."""
        self._home = home
        self._log = scratch / "keycloak.log"
        self._password = secrets.token_urlsafe(16)
        port = free_port()
        self.base = f"http://127.0.0.1:{port}"
        listen = ["--http-enabled=true", "--http-host=127.0.0.1", f"--http-port={port}"]
        self._command = [str(home / "bin" / "kc.sh"), "start", "--optimized", "--cache=local", *listen]
        self._command.append(f"--hostname={self.base}")

    def __enter__(self) -> Self:
        environment = {
            **{name: os.environ[name] for name in ("PATH", "JAVA_HOME", "HOME") if name in os.environ},
            "KC_BOOTSTRAP_ADMIN_USERNAME": "admin",
            "KC_BOOTSTRAP_ADMIN_PASSWORD": self._password,
            "JAVA_OPTS_KC_HEAP": "-Xms64m -Xmx512m",
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        self.http = httpx2.Client(trust_env=False, timeout=30)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            with suppress(httpx2.TransportError):
                if self.http.get(f"{self.base}/realms/master").status_code == 200:
                    return self
            time.sleep(0.2)
        self.__exit__()
        raise AssertionError(self._log.read_text()[-4000:])

    def __exit__(self, *_: object) -> None:
        self.http.close()
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        """One request to the administration API; returns what it answers, or where the new thing is."""
        form = {"grant_type": "password", "client_id": "admin-cli", "username": "admin"}
        form["password"] = self._password
        token = self.http.post(f"{self.base}/realms/master/protocol/openid-connect/token", data=form).json()
        answer = self.http.request(
            method,
            f"{self.base}/admin/realms{path}",
            json=body,
            headers={"authorization": f"Bearer {token['access_token']}"},
        )
        assert answer.status_code < 300, (method, path, answer.text)
        if "location" in answer.headers:
            return answer.headers["location"].rsplit("/", 1)[1]
        return answer.json() if answer.content else None


class Realm:
    """The realm, its clients and its keys."""

    def __init__(self, keycloak: Keycloak, name: str, resource: str, scopes: tuple[str, ...]) -> None:
        """Make it, for one resource and its scopes."""
        self._keycloak = keycloak
        self._name = name
        self.issuer = f"{keycloak.base}/realms/{name}"
        self._resource = resource
        self.agent = SimulatedClient("agent-with-a-key")
        self.elsewhere = SimulatedClient("agent-of-another-server")
        self._password = secrets.token_urlsafe(16)
        keycloak.admin("POST", "", {"realm": name, "enabled": True, "defaultSignatureAlgorithm": "ES256"})
        self._realm = keycloak.admin("GET", f"/{name}")["id"]
        self.add_key(100)  # or there is none for ES256 before the first token
        for scope in scopes:
            self._scope(scope, resource)
        self._scope("payments:read", "https://payments.acme.example")
        self.clients = {
            "agent": self._client(self._machine(self.agent, scopes)),
            "elsewhere": self._client(self._machine(self.elsewhere, ("payments:read",))),
            "browser": self._client(self._public(scopes)),
        }
        keycloak.admin(
            "POST",
            f"/{self._name}/users",
            {
                "username": PERSON, "enabled": True, "email": "alice@acme.example", "emailVerified": True,
                "firstName": "Alice", "lastName": "Example",
                "credentials": [{"type": "password", "value": self._password, "temporary": False}],
            },
        )  # fmt: skip

    def token(self, scope: str = "orders:read", client: SimulatedClient | None = None) -> str:
        """A token by client credentials and `private_key_jwt`."""
        client = self.agent if client is None else client
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": client.assertion(self.issuer, int(time.time())),
            **({"scope": scope} if scope else {}),
        }
        answer = self._keycloak.http.post(f"{self.issuer}/protocol/openid-connect/token", data=form)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def identity_token(self) -> str:
        """An ID token about the person, which is for the client and for nobody else."""
        form = {
            "grant_type": "password", "client_id": BROWSER, "username": PERSON, "password": self._password,
            "scope": "openid orders:read",
        }  # fmt: skip
        answer = self._keycloak.http.post(f"{self.issuer}/protocol/openid-connect/token", data=form)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id_token"])

    def switch(self, client: str, attribute: str, *, on: bool) -> None:
        """Turn one of a client's switches."""
        path = f"/{self._name}/clients/{self.clients[client]}"
        known = self._keycloak.admin("GET", path)
        known["attributes"][attribute] = str(on).lower()
        self._keycloak.admin("PUT", path, known)

    def add_key(self, priority: int) -> str:
        """Publish a new key; the one with the highest priority signs."""
        component = {
            "name": f"ec-{priority}",
            "providerId": "ecdsa-generated",
            "providerType": "org.keycloak.keys.KeyProvider",
            "parentId": self._realm,
            "config": {"priority": [str(priority)], "ecdsaEllipticCurveKey": ["P-256"], "active": ["true"],
                       "enabled": ["true"]},
        }  # fmt: skip
        return str(self._keycloak.admin("POST", f"/{self._name}/components", component))

    def drop_key(self, component: str) -> None:
        """Publish a key no longer."""
        self._keycloak.admin("DELETE", f"/{self._name}/components/{component}")

    def person(self) -> "Person":
        """Somebody who can sign in."""
        return Person(self._password)

    def _scope(self, name: str, audience: str) -> None:
        """A scope that puts the server into the audience of whatever token it is in."""
        mapper = {
            "name": "audience",
            "protocol": "openid-connect",
            "protocolMapper": "oidc-audience-mapper",
            "config": {"included.custom.audience": audience, "access.token.claim": "true"},
        }
        made = {
            "name": name, "protocol": "openid-connect", "attributes": {"include.in.token.scope": "true"},
            "protocolMappers": [mapper],
        }  # fmt: skip
        self._keycloak.admin("POST", f"/{self._name}/client-scopes", made)

    def _client(self, representation: dict[str, Any]) -> str:
        return str(self._keycloak.admin("POST", f"/{self._name}/clients", representation))

    def _machine(self, client: SimulatedClient, scopes: tuple[str, ...]) -> dict[str, Any]:
        public = client.key.as_dict(private=False) | {"use": "sig", "alg": "ES256"}
        return {
            "clientId": client.client_id,
            "serviceAccountsEnabled": True,
            "standardFlowEnabled": False,
            "clientAuthenticatorType": "client-jwt",
            "attributes": {
                "use.jwks.string": "true",
                "jwks.string": json.dumps({"keys": [public]}),
                "token.endpoint.auth.signing.alg": "ES256",
                TYPED: "true",
            },
            "defaultClientScopes": ["basic", "service_account"],
            "optionalClientScopes": list(scopes),
        }

    def _public(self, scopes: tuple[str, ...]) -> dict[str, Any]:
        named = {
            "name": "client_id",
            "protocol": "openid-connect",
            "protocolMapper": "oidc-hardcoded-claim-mapper",
            "config": {"claim.name": "client_id", "claim.value": BROWSER, "access.token.claim": "true"},
        }
        return {
            "clientId": BROWSER,
            "publicClient": True,
            "directAccessGrantsEnabled": True,
            "redirectUris": [CALLBACK],
            "attributes": {"pkce.code.challenge.method": "S256", TYPED: "true"},
            "defaultClientScopes": ["basic"],
            "optionalClientScopes": list(scopes),
            "protocolMappers": [named],
        }


class Person:
    """Alice, with a browser at Keycloak's own page."""

    def __init__(self, password: str) -> None:
        """Nothing is open yet."""
        self._password = password
        self._address = ""
        self._cookies: dict[str, str] = {}

    async def open(self, url: str) -> None:
        async with httpx2.AsyncClient(trust_env=False, timeout=30) as browser:
            answer = self._kept(await browser.get(url, headers=self._sent()))
            if answer.status_code == 200:
                action = re.search(r'action="([^"]+)"', answer.text)
                assert action is not None, answer.text
                form = {"username": PERSON, "password": self._password, "credentialId": ""}
                answer = self._kept(await browser.post(unescape(action[1]), data=form, headers=self._sent()))
        self._address = answer.headers.get("location", "")
        assert self._address.startswith(CALLBACK), answer.text

    def _kept(self, answer: httpx2.Response) -> httpx2.Response:
        """Keep cookies as browsers do: to them loopback is as good as https, so `Secure` ones too."""
        for field in answer.headers.get_list("set-cookie"):
            name, _, rest = field.partition("=")
            self._cookies[name] = rest.partition(";")[0]
        return answer

    def _sent(self) -> dict[str, str]:
        return {"cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}

    async def come_back(self) -> AuthorizationCodeResult:
        query = {name: values[0] for name, values in parse_qs(urlsplit(self._address).query).items()}
        assert "error" not in query, query
        return AuthorizationCodeResult(code=query["code"], state=query["state"], iss=query.get("iss"))
