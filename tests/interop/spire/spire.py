"""A real SPIRE of one machine: a server, an agent, entries. Everything on loopback and in one private folder.

No root is needed: the agent attests workloads by their uid, and joins by a token that is good once.
"""

import contextlib
import json
import os
import secrets
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from launchworthy.testing.waiting import free_port

SERVER_BIN = os.environ.get("SPIRE_SERVER_BIN", "")
AGENT_BIN = os.environ.get("SPIRE_AGENT_BIN", "")
SERVER_CONF = """
server {{
  bind_address = "127.0.0.1"
  bind_port = "{port}"
  socket_path = "{home}/server.sock"
  trust_domain = "{trust_domain}"
  data_dir = "{home}/server"
  log_level = "INFO"
  ca_ttl = "24h"
  default_x509_svid_ttl = "{ttl}s"
  default_jwt_svid_ttl = "60s"
  agent_ttl = "1h"
  experimental {{ cache_reload_interval = "1s" }}
}}
plugins {{
  DataStore "sql" {{
    plugin_data {{
      database_type = "sqlite3"
      connection_string = "{home}/server/datastore.sqlite3"
    }}
  }}
  NodeAttestor "join_token" {{ plugin_data {{}} }}
  KeyManager "memory" {{ plugin_data {{}} }}
  {upstream}
}}
"""
UPSTREAM = """
  UpstreamAuthority "disk" {{
    plugin_data {{ cert_file_path = "{home}/root.pem" key_file_path = "{home}/root.key" }}
  }}
"""
AGENT_CONF = """
agent {{
  server_address = "127.0.0.1"
  server_port = "{port}"
  socket_path = "{home}/agent/api.sock"
  trust_bundle_path = "{home}/bundle.pem"
  trust_domain = "{trust_domain}"
  data_dir = "{home}/agent"
  log_level = "INFO"
  experimental {{ sync_interval = "1s" }}
}}
plugins {{
  NodeAttestor "join_token" {{ plugin_data {{}} }}
  KeyManager "disk" {{ plugin_data {{ directory = "{home}/agent" }} }}
  WorkloadAttestor "unix" {{ plugin_data {{}} }}
}}
"""


class Spire:
    """One trust domain. Use it as a context manager; it stops what it started."""

    def __init__(self, trust_domain="dev.invalid", *, ttl=60, upstream=None):
        self.trust_domain = trust_domain
        self.home = Path(tempfile.gettempdir()) / f"lw-{secrets.token_hex(6)}"
        (self.home / "server").mkdir(parents=True, mode=0o700)
        (self.home / "agent").mkdir(mode=0o700)
        self.home.chmod(0o700)
        self.port = free_port()
        self._ttl = ttl
        self._upstream = upstream
        self._node = f"spiffe://{trust_domain}/node"
        self._processes = []
        self.agent = None

    @property
    def endpoint(self):
        """Of the Workload API."""
        return f"unix://{self.home}/agent/api.sock"

    def __enter__(self):
        """Start the server and an agent that has joined."""
        try:
            self._write("server.conf", SERVER_CONF, ttl=self._ttl, upstream=self._rooted())
            self._write("agent.conf", AGENT_CONF)
            self._spawn("server", [SERVER_BIN, "run", "-config", str(self.home / "server.conf")])
            eventually(lambda: self._healthy(SERVER_BIN, "server.sock"), "the server is healthy", 60)
            (self.home / "bundle.pem").write_text(self.bundle())
            self._join()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        """Stop everything."""
        for process in reversed(self._processes):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        subprocess.run(["rm", "-rf", str(self.home)], check=False)

    def run(self, *arguments, check=True):
        """A command of `spire-server`; returns what it printed."""
        command = [SERVER_BIN, *arguments, "-socketPath", str(self.home / "server.sock")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if check and done.returncode != 0:
            raise RuntimeError(f"{' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def entry(self, path, *more, ttl=None):
        """Register this user's processes under a name; returns the entry's id."""
        ttls = () if ttl is None else ("-x509SVIDTTL", str(ttl))
        said = json.loads(
            self.run(
                "entry", "create", "-output", "json", "-parentID", self._node,
                "-spiffeID", self.id(path), "-selector", f"unix:uid:{os.getuid()}", *ttls, *more,
            )
        )  # fmt: skip
        return said["results"][0]["entry"]["id"]

    def gives(self, *paths):
        """Wait until the agent gives our processes all of these; it learns of entries one sync later."""
        command = [AGENT_BIN, "api", "fetch", "x509", "-socketPath", str(self.home / "agent" / "api.sock")]

        def all_there():
            said = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False).stdout
            return all(self.id(path) in said.split() for path in paths)

        eventually(all_there, f"SVIDs for {', '.join(paths)}", 30)

    def id(self, path):
        """`spiffe://dev.invalid/simulated/orders` for `simulated/orders`."""
        return f"spiffe://{self.trust_domain}/{path}"

    def delete(self, entry):
        """Take an entry away."""
        self.run("entry", "delete", "-entryID", entry)

    def bundle(self, form="pem"):
        """Our own bundle."""
        return self.run("bundle", "show", "-format", form)

    def trust(self, other):
        """Take another trust domain's bundle over, as federation would; entries say who gets it."""
        foreign = self.home / "foreign.json"
        foreign.write_text(other.bundle("spiffe"))
        self.run(
            "bundle",
            "set",
            "-format",
            "spiffe",
            "-id",
            f"spiffe://{other.trust_domain}",
            "-path",
            str(foreign),
        )

    def distrust(self, other):
        """End that federation; entries no longer get the bundle."""
        self.run("bundle", "delete", "-id", f"spiffe://{other.trust_domain}", "-mode", "dissociate")

    def jwks(self):
        """The keys of our JWT-SVIDs, as a bundle endpoint serves them."""
        keys = json.loads(self.bundle("spiffe"))["keys"]
        return {"keys": [key for key in keys if key["use"] == "jwt-svid"]}

    def authority(self, *command):
        """`localauthority x509 …`; returns its JSON."""
        return json.loads(self.run("localauthority", "x509", *command, "-output", "json"))

    def stop_agent(self):
        """SIGTERM to the agent, and wait."""
        self.agent.terminate()
        self.agent.wait(timeout=20)

    def start_agent(self):
        """Start the agent again; it has its key and joins no more."""
        self.agent = self._spawn("agent", [AGENT_BIN, "run", "-config", str(self.home / "agent.conf")])

    def log(self, name):
        """What a process wrote."""
        return (self.home / f"{name}.log").read_text(errors="replace")

    def _rooted(self):
        """An authority whose key the test holds, to sign SPIRE's own; or nothing."""
        if self._upstream is None:
            return ""
        root = self._upstream._roots[0]
        form = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        (self.home / "root.pem").write_bytes(root.certificate.public_bytes(serialization.Encoding.PEM))
        (self.home / "root.key").write_bytes(root.key.private_bytes(serialization.Encoding.PEM, *form))
        return UPSTREAM.format(home=self.home)

    def _join(self):
        said = json.loads(self.run("token", "generate", "-spiffeID", self._node, "-output", "json"))
        token = self.home / "token"
        token.write_text(said["value"])
        config = str(self.home / "agent.conf")
        self.agent = self._spawn("agent", [AGENT_BIN, "run", "-config", config, "-joinTokenFile", str(token)])
        eventually(lambda: self._healthy(AGENT_BIN, "agent/api.sock"), "the agent is healthy", 60)

    def _healthy(self, binary, name):
        command = [binary, "healthcheck", "-socketPath", str(self.home / name)]
        return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0

    def _write(self, name, text, **values):
        values |= {"home": self.home, "port": self.port, "trust_domain": self.trust_domain}
        (self.home / name).write_text(text.format(**values))

    def _spawn(self, name, command):
        with (self.home / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        self._processes.append(process)
        return process


def eventually(condition, what, seconds=30.0):
    """Wait until it is so; returns the seconds it took."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.05)
    return time.monotonic() - began
