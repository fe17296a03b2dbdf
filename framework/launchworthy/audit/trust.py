"""Whose roots does a verifier believe? A directory of archived bundles, one trust domain each."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography import x509

from launchworthy.vocabulary import Problem, ProblemError


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedRoots:
    """Certificates by trust domain, those of the past included: SVIDs and bundles rotate away, files stay."""

    by_domain: Mapping[str, tuple[x509.Certificate, ...]]

    @classmethod
    def none(cls) -> Self:
        """Believe nobody: only pinned keys count then."""
        return cls(by_domain={})

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read `<trust domain>.pem` and `<trust domain>/*.pem`; every certificate in them is a root.

        Raises:
            ProblemError: the directory or a file in it cannot be read, or there is no certificate at all.
        """
        by_domain: dict[str, tuple[x509.Certificate, ...]] = {}
        try:
            entries = sorted(directory.iterdir())
        except OSError:
            raise _problem(directory, "cannot be read") from None
        for entry in entries:
            files = sorted(entry.glob("*.pem")) if entry.is_dir() else [entry]
            domain = entry.name if entry.is_dir() else entry.name.removesuffix(".pem")
            if not entry.is_dir() and entry.suffix != ".pem":
                continue
            for file in files:
                by_domain[domain] = by_domain.get(domain, ()) + _certificates(file)
        if not by_domain:
            raise _problem(directory, "holds no `<trust domain>.pem`")
        return cls(by_domain=by_domain)

    def of(self, domain: str) -> tuple[x509.Certificate, ...]:
        """The roots of a trust domain; none where there are none."""
        return self.by_domain.get(domain, ())


def _certificates(file: Path) -> tuple[x509.Certificate, ...]:
    try:
        return tuple(x509.load_pem_x509_certificates(file.read_bytes()))
    except (OSError, ValueError):
        raise _problem(file, "holds no certificates") from None


def _problem(path: Path, what: str) -> ProblemError:
    return ProblemError(
        Problem(
            reason="bad-trust-directory",
            where=str(path),
            what=what,
            fix=("put the bundles of each trust domain into `<trust domain>.pem`",),
        )
    )
