"""A small real project in git, and a platform's trust policy beside it."""

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(REPOSITORY / "tests" / "unit" / "attestation"))

from promoters import DAY, DIGESTS, Authority, predicate  # noqa: E402

from launchworthy.attestation import (  # noqa: E402
    Predicate,
    Subject,
    X509SvidSigner,
    new_statement,
    sign_statement,
)
from launchworthy.attestation.content import wheel_content_digest  # noqa: E402
from launchworthy.attestation.project_files import read_tree_facts  # noqa: E402
from launchworthy.attestation.tree import read_git_facts  # noqa: E402
from launchworthy.vocabulary import Environment  # noqa: E402

ENVIRON = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
PROMOTER = "spiffe://dev.invalid/promoter"
FILES = {
    ".gitignore": "__pycache__/\ndist/\n",
    "pyproject.toml": """
[build-system]
requires = ["hatchling>=1.28", "launchworthy"]
build-backend = "hatchling.build"
[project]
name = "orders"
version = "0.3.1"
requires-python = ">=3.11"
[project.scripts]
orders = "orders.__main__:main"
[tool.hatch.build.hooks.launchworthy]
""",
    "src/orders/__init__.py": "",
    "src/orders/__main__.py": "def main() -> None: ...\n",
    "src/orders/tools.py": "def find_orders(customer: str) -> list[str]:\n    return [customer]\n",
    "manifests/server.toml": 'name = "orders"\n',
    "manifests/tools.toml": '[tools.find_orders]\nscopes = ["orders:read"]\n',
    "policy/rules.cedar": "// none\n",
    "policy/more/rules.cedar": "// none\n",
    "config/development.toml": "[app]\n",
    "config/staging.toml": "[server]\n",
    "config/production.toml": "[server]\n",
    "promotion.toml": "\n",
    "launchworthy.lock": "{}\n",
    "uv.lock": "version = 1\n",
}


@dataclass(frozen=True, kw_only=True)
class Project:
    """A project, and what promotes it."""

    root: Path
    trust_file: Path
    authority: Authority

    def write(self, path: str, text: str) -> None:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def git(self, *arguments: str) -> str:
        command = ["git", "-c", "user.name=t", "-c", "user.email=t@acme.example", *arguments]
        done = subprocess.run(command, cwd=self.root, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "--quiet", "--allow-empty", "-m", "a change")

    def build(self, environment: str | None = None, **variables: str) -> Path:
        """Build a wheel in this process, as hatchling's command line and `build_wheel` do."""
        from hatchling.builders.wheel import WheelBuilder
        from hatchling.plugin.manager import PluginManager

        with pytest.MonkeyPatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            if environment is not None:
                patch.setenv("LAUNCHWORTHY_BUILD", environment)
                patch.setenv("LAUNCHWORTHY_TRUST", str(self.trust_file))
            builder = WheelBuilder(str(self.root), plugin_manager=PluginManager())
            [wheel] = builder.build(directory=str(self.root / "dist"), versions=["standard"])
        return Path(wheel)

    def wheels(self) -> list[str]:
        return sorted(path.name for path in (self.root / "dist").glob("*.whl"))

    def digests(self, environment: Environment = Environment.REHEARSAL) -> dict[Subject, str]:
        """What `attest` would say of this tree, after building the wheel that would be rehearsed."""
        wheel = self.build()
        facts = read_tree_facts(
            self.root, read_git_facts(self.root, environ=ENVIRON), environment=environment
        )
        digests = {**DIGESTS, **facts.digests, Subject.WHEEL: wheel_content_digest(wheel)}
        wheel.unlink()
        return digests

    def promote(
        self,
        *,
        environment: Environment = Environment.REHEARSAL,
        signer: X509SvidSigner | None = None,
        digests: dict[Subject, str] | None = None,
        **changes: object,
    ) -> Path:
        """Rehearse nothing, and sign."""
        digests = digests if digests is not None else self.digests(environment)
        signer = signer if signer is not None else self.signer()
        statement = new_statement(digests, self.predicate(environment=environment, **changes))
        path = self.root / "dist" / "promotion" / f"record-{environment}.dsse.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(sign_statement(statement, signer, stamper=None))
        return path

    def signer(self, spiffe_id: str = PROMOTER) -> X509SvidSigner:
        now = present()
        return self.authority.signer(spiffe_id, not_before=now - 3600, not_after=now + 3600)

    def predicate(self, **changes: object) -> Predicate:
        now = present()
        dates = {"signed_at": now, "build_until": now + 30 * DAY, "run_until": now + 90 * DAY}
        return predicate(**{**dates, **changes})


def present() -> int:
    """The machine's clock: a build has no other."""
    return int(time.time())


def write_trust(
    directory: Path, authority: Authority, *, environment: str, promoter: str, more: str = ""
) -> Path:
    directory.mkdir(exist_ok=True)
    domain = promoter.split("/")[2]
    (directory / "root.pem").write_bytes(authority.pem)
    (directory / "trust.toml").write_text(
        f'[{environment}]\npromoters = ["{promoter}"]\napprovers = "released-job"\n'
        'stamp = "none"\ncatalogue = "0.1"\n'
        f'[roots]\n"{domain}" = ["root.pem"]\n{more}'
    )
    for path in directory.iterdir():
        path.chmod(0o644)
    directory.chmod(0o755)
    return directory / "trust.toml"
