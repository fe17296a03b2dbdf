"""nginx in front of one server, as somebody would configure it: well, or not."""

import shutil
import subprocess
import time
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import httpx2

_SECONDS = 10.0
GOOD = ("proxy_set_header Host $http_host;",)
"""Without this line nginx names the server behind it in Host."""


def find_nginx() -> str | None:
    """Where it is; Debian keeps it from people who are not root."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


class Nginx:
    """Enter it to listen; leave it to stop."""

    def __init__(
        self, binary: str, folder: Path, *, public: str, behind: str, lines: tuple[str, ...]
    ) -> None:
        """Write its configuration.

        Args:
            binary: the program.
            folder: of its own.
            public: the URL where it listens.
            behind: the URL of the server.
            lines: of its `location`, besides `proxy_pass`.
        """
        self._public = public
        self._behind = behind
        self._folder = folder
        self._command = [
            binary,
            "-e",
            str(folder / "error.log"),
            "-p",
            str(folder),
            "-c",
            str(folder / "nginx.conf"),
        ]
        self.configure(lines)

    def configure(self, lines: tuple[str, ...]) -> None:
        """Write it; what runs does not see it."""
        temporary = "".join(
            f"  {name}_temp_path {self._folder}/{name};\n"
            for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        inner = "".join(f"      {line}\n" for line in lines)
        (self._folder / "nginx.conf").write_text(
            f"daemon off;\nmaster_process off;\npid {self._folder}/pid;\nevents {{}}\n"
            f"http {{\n  access_log off;\n{temporary}"
            f"  server {{\n    listen 127.0.0.1:{urlsplit(self._public).port};\n"
            f"    location / {{\n      proxy_pass {self._behind};\n      proxy_http_version 1.1;\n"
            f"{inner}    }}\n  }}\n}}\n"
        )

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL)
        end = time.monotonic() + _SECONDS
        while time.monotonic() < end:
            try:
                httpx2.get(self._public, trust_env=False, timeout=1)
            except httpx2.TransportError:
                assert self._process.poll() is None, (self._folder / "error.log").read_text()
                time.sleep(0.02)
                continue
            return self
        raise AssertionError("nginx does not listen")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
