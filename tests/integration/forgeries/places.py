"""The places where a record is believed or not, over one real project: build hook, start, verify-record."""

import base64
import hashlib
import shutil
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

from orders_project import ENVIRON, Project
from promoters import DAY, Authority
from promotion_project import edit, fresh_copy

from launchworthy.attestation import Subject, X509SvidSigner, new_statement, sign_statement
from launchworthy.attestation.build_gate import BUILD_VARIABLE, TRUST_VARIABLE, BuildGate
from launchworthy.attestation.content import wheel_content_digest
from launchworthy.attestation.records import record_name
from launchworthy.manifest import load_manifests
from launchworthy.policy import compile_policy
from launchworthy.promotion.tree_digests import digests_of_tree
from launchworthy.promotion.verifying import verify_at
from launchworthy.server import record
from launchworthy.settings import ProjectFiles, inspect_settings
from launchworthy.vocabulary import Environment, ProblemError

PROMOTER = "spiffe://dev.invalid/promoter"
WORKLOAD = "spiffe://dev.invalid/ns/orders/sa/orders"
REAL_PROMOTER = "spiffe://acme.example/ci/orders/release"


@dataclass
class Case:
    """A project, what was installed of it, a record and a trust policy; all good until somebody forges."""

    project: Project
    site: Path
    wheel: Path
    record: bytes | None
    trust_file: Path
    environment: Environment = Environment.REHEARSAL
    looks_at_site: bool = False

    @property
    def root(self) -> Path:
        return self.project.root

    @property
    def package(self) -> Path:
        return self.site / "orders"

    def place_record(self) -> None:
        """Put the record where each place looks for it."""
        name = record_name(self.environment)
        folders = [self.root / "dist" / "promotion", self.dist_info / "extra_metadata"]
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            if self.record is not None:
                (folder / name).write_bytes(self.record)

    @property
    def dist_info(self) -> Path:
        [found] = self.site.glob("orders-*.dist-info")
        return found

    def wheel_with_record(self) -> Path:
        """The wheel as a gated build would leave it."""
        made = self.wheel.with_name(f"promoted-{self.wheel.name}")
        shutil.copy(self.wheel, made)
        if self.record is not None:
            with zipfile.ZipFile(made, "a") as archive:
                archive.writestr(
                    f"{self.dist_info.name}/extra_metadata/{record_name(self.environment)}", self.record
                )
        return made

    def hook(self) -> None:
        """What a gated build asks, before and after."""
        variables = {BUILD_VARIABLE: self.environment.value, TRUST_VARIABLE: str(self.trust_file)}
        gate = BuildGate.open(self.root, {**ENVIRON, **variables})
        gate.verify_tree(now=int(time.time()))
        gate.verify_wheel(self.wheel_with_record(), now=int(time.time()))

    def start(self) -> None:
        """What the record stage of a start asks."""
        carried = self.package / "_launchworthy"
        files = ProjectFiles(
            root=carried,
            installed=True,
            package="orders",
            files={
                path.relative_to(carried).as_posix(): path.read_bytes()
                for path in carried.rglob("*")
                if path.is_file() and path.name != "uv.lock"
            },
        )
        manifests = load_manifests(files.manifests())
        meant = Environment.PRODUCTION
        parts = SimpleNamespace(
            project=files,
            manifests=manifests,
            compiled=compile_policy(manifests, meant, files.policy(meant)),
            settings=SimpleNamespace(
                environment=self.environment,
                digest=inspect_settings(files, meant).digest,
                promotion=SimpleNamespace(records=None),
                world=SimpleNamespace(trust=self.trust_file),
            ),
            surroundings=SimpleNamespace(trust=self.trust_file),
            trust=None,
            now=lambda: int(time.time()),
        )
        before, sys.path = sys.path, [str(self.site)]  # a process of its own has nothing else
        try:
            assert record.verify(parts) is not None  # type: ignore[arg-type]
        finally:
            sys.path = before

    def verify(self) -> None:
        """`launchworthy verify-record`."""
        where = self.package if self.looks_at_site else self.root
        verify_at(
            where,
            trust_file=self.trust_file,
            environment=self.environment,
            environ=ENVIRON,
            now=int(time.time()),
        )


@dataclass(frozen=True, kw_only=True)
class Made:
    """One project that was built and installed once; every case gets a copy."""

    project: Project
    wheel: Path
    site: Path
    digests: dict[Subject, str]

    @classmethod
    def make(cls, scratch: Path) -> "Made":
        now = int(time.time())
        authority = Authority(domain="dev.invalid", not_before=now - 100 * DAY, not_after=now + 100 * DAY)
        root = fresh_copy(scratch / "orders")
        edit(root, ("launchworthy.lock", "", "# as reviewed\n"))
        (root / ".gitignore").write_text("dist/\n__pycache__/\n")
        project = Project(root=root, trust_file=scratch / "none", authority=authority)
        project.git("init", "--quiet", "-b", "main")
        project.commit()
        wheel = project.build()
        shutil.move(wheel, scratch / wheel.name)
        wheel = scratch / wheel.name
        site = install(wheel, scratch / "app" / "site-packages")
        digests = digests_of_tree(root, Environment.REHEARSAL, ENVIRON)
        return cls(
            project=project,
            wheel=wheel,
            site=site,
            digests={**digests, Subject.WHEEL: wheel_content_digest(wheel)},
        )

    def case(self, scratch: Path) -> Case:
        """Copies of everything, and a record that counts."""
        root = scratch / "orders"
        shutil.copytree(self.project.root, root, symlinks=True)
        site = scratch / "app" / "site-packages"
        shutil.copytree(self.site, site)
        wheel = scratch / self.wheel.name
        shutil.copy(self.wheel, wheel)
        trust = write_trust(scratch / "trust", self.project.authority)
        case = Case(
            project=replace(self.project, root=root, trust_file=trust),
            site=site,
            wheel=wheel,
            record=None,
            trust_file=trust,
        )
        case.record = self.signed(case)
        case.place_record()
        return case

    def signed(
        self, case: Case, *, signer: X509SvidSigner | None = None, digests: dict[Subject, str] | None = None,
        **changes: object,
    ) -> bytes:  # fmt: skip
        """A record of this project, but for what is changed."""
        predicate = case.project.predicate(**{"environment": Environment.REHEARSAL, **changes})
        statement = new_statement(digests or self.digests, predicate)
        return sign_statement(statement, signer or case.project.signer(), stamper=None)


def write_trust(
    folder: Path, authority: Authority, *, environment: str = "rehearsal", promoter: str = PROMOTER,
    more: str = "", stamp: str = 'stamp = "none"',
) -> Path:  # fmt: skip
    folder.mkdir(exist_ok=True, parents=True)
    (folder / "root.pem").write_bytes(authority.pem)
    file = folder / "trust.toml"
    file.write_text(
        f'[{environment}]\npromoters = ["{promoter}"]\napprovers = "released-job"\n{stamp}\n'
        f'catalogue = "0.1"\n[roots]\n"{promoter.split("/")[2]}" = ["root.pem"]\n{more}'
    )
    return file


def install(wheel: Path, site: Path) -> Path:
    """Unpack a wheel as an installer does, beside a framework whose files its own RECORD lists."""
    site.mkdir(parents=True)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    framework = site / "launchworthy"
    framework.mkdir()
    (framework / "gate.py").write_text("verify = 1\n")
    digest = base64.urlsafe_b64encode(hashlib.sha256(b"verify = 1\n").digest()).rstrip(b"=").decode()
    info = site / "launchworthy-0.1.0.dist-info"
    info.mkdir()
    (info / "RECORD").write_text(f"launchworthy/gate.py,sha256={digest},11\n{info.name}/RECORD,,\n")
    return site


def reason_of(ask: Callable[[], None]) -> str:
    """The first reason with which a place says no; `yes` where it does not."""
    try:
        ask()
    except ProblemError as error:
        return error.problems[0].reason
    return "yes"
