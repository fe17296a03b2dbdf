"""Who may sign for which environment? The platform's trust policy, `trust.toml` and the roots beside it.

    [production]
    promoters = ["spiffe://acme.example/ci/orders/release"]
    approvers = "released-job"                # or people: `approvers`
    stamp     = "required"                    # or "none"; for production required, if it is left out
    time_stamp_authorities = [{ url = "https://stamp.acme.example", roots = ["acme-stamps.pem"] }]
    previous  = "required"                    # once there is a first record; "none" if it is left out
    catalogue = "0.1"                         # the least that counts
    framework = "0.1"                         # the same for launchworthy; may be left out
    break_glass_approvers = { … }             # people, with their issuer's keys: `approvers`; may be left out
    # or a workflow of a CI system that has no key: `workflow`, with a table [sigstore]
    [roots]
    "acme.example" = ["acme-2026a.pem"]       # old ones stay as long as records live
    [revoked]
    records = ["lwr1-…"]
    signers = ["spiffe://…", "https://…@refs/tags/v1", "<hex SHA-256 of a public key, an envelope's keyid>"]

This module takes bytes; `trust_file` reads them and looks who could have written them. What nothing enforces
yet is refused by name instead of being read and ignored, and the two worlds never mix: `dev.invalid` signs
for `rehearsal` only, and nobody else does.
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from cryptography import x509
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from launchworthy.attestation.approvers import (
    Approvers,
    ApproversField,
    ApproversTable,
    ReleasedJob,
    break_glass_problem,
)
from launchworthy.attestation.approvers import problem_of as approvers_problem
from launchworthy.attestation.json_document import cite
from launchworthy.attestation.places import is_fit
from launchworthy.attestation.stamp import StampAuthority
from launchworthy.attestation.statement import RecordId, Version
from launchworthy.attestation.svid import SpiffeId
from launchworthy.attestation.version import parse_version
from launchworthy.attestation.workflow import (
    Sigstore,
    SigstoreTable,
    Workflow,
    WorkflowTable,
    is_workflow_name,
    the_files,
    wrong_with_files,
    wrong_with_workflow,
)
from launchworthy.vocabulary import SIMULATED_TRUST_DOMAIN, Environment, Problem, ProblemError

_TABLES = (Environment.REHEARSAL, Environment.STAGING, Environment.PRODUCTION)
_KEY_ID = re.compile(r"[0-9a-f]{64}", re.ASCII)
_FIX = ("what it may say: `launchworthy explain trust-policy-missing`",)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentTrust:
    """Whose records count in one environment.

    Attributes:
        promoters: SPIFFE IDs.
        workflows: promoters that have no key; at least one of either kind.
        approvers: who approves what is promoted; None asks nobody, and is never so for production.
        catalogue: the least version of the catalogue that counts.
        framework: the least version of launchworthy that counts, if there is one.
        stamp_required: whether a record without a time stamp is refused.
        stamp_authorities: whose time stamps are believed; none, where the signer's word is taken.
        previous_required: whether a record that names none before it is refused.
        break_glass: who approves grants, two of them each; None, and no grant counts.
    """

    promoters: frozenset[str]
    workflows: frozenset[Workflow]
    approvers: Approvers | ReleasedJob | None
    catalogue: tuple[int, int, int]
    framework: tuple[int, int, int] | None
    stamp_required: bool
    stamp_authorities: tuple[StampAuthority, ...]
    previous_required: bool
    break_glass: Approvers | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustPolicy:
    """A parsed trust policy.

    Attributes:
        where: the file.
        environments: at least one.
        roots: certificates of each trust domain; every promoter's domain is there.
        revoked_records: record ids.
        sigstore: that vouches for workflows; there, where any may sign.
        revoked_signers: SPIFFE IDs, workflows and key ids.
        sha256: digest of the file and its roots, for the record and `trust.loaded`.
    """

    where: str
    environments: Mapping[Environment, EnvironmentTrust]
    roots: Mapping[str, tuple[x509.Certificate, ...]]
    sigstore: Sigstore | None
    revoked_records: frozenset[str]
    revoked_signers: frozenset[str]
    sha256: str

    def of(self, environment: Environment) -> EnvironmentTrust:
        """Whose records count here.

        Raises:
            ProblemError: the policy trusts nobody for this environment.
        """
        if environment not in self.environments:
            what = f"trusts nobody for `{environment}`"
            fix = (f"the platform adds a table [{environment}] that names the promoters",)
            raise ProblemError(Problem(reason="nobody-trusted", where=self.where, what=what, fix=fix))
        return self.environments[environment]


def root_files(document: bytes, *, where: str) -> tuple[str, ...]:
    """The names of the files beside `trust.toml` that hold its roots, key sets and Sigstore, sorted.

    Raises:
        ProblemError: the document is malformed.
    """
    raw = _read(document, where)
    named = {name for names in raw.roots.values() for name in names}
    if raw.sigstore is not None:
        named |= {raw.sigstore.trusted_root, raw.sigstore.signing_config}
    for table in (raw.rehearsal, raw.staging, raw.production):
        if table is None:
            continue
        named.update(name for each in table.time_stamp_authorities for name in each.roots)
        for people in (table.approvers, table.break_glass_approvers):
            named.update(people.keys if isinstance(people, ApproversTable) else ())
    return tuple(sorted(named))


def parse_trust_policy(document: bytes, files: Mapping[str, bytes], *, where: str) -> TrustPolicy:
    """Read a trust policy.

    Args:
        document: `trust.toml`.
        files: the content of each of its `root_files`.
        where: what to call the file in messages.

    Raises:
        ProblemError: it is malformed, asks for what is not enforced yet, mixes the worlds, or lacks roots.
    """
    raw = _read(document, where)
    roots = {
        domain: _load_roots(f"the trust domain `{cite(domain)}`", names, files, where)
        for domain, names in raw.roots.items()
    }
    tables = {name: table for name in _TABLES if (table := getattr(raw, name)) is not None}
    problems = [
        problem
        for environment, table in tables.items()
        for promoter in table.spiffe_ids()
        for problem in _problems_of(environment, promoter, raw.roots, where)
    ]
    sigstore = the_files(raw.sigstore, files)
    problems += _problems_with_workflows(tables, sigstore, where)
    problems += [
        _malformed(where, f"revoked.signers: `{cite(signer)}` is neither a promoter's name nor a key id")
        for signer in raw.revoked.signers
        if not (_KEY_ID.fullmatch(signer) or _is_spiffe_id(signer) or is_workflow_name(signer))
    ]
    problems += [
        _malformed(where, f"revoked.signers: `{cite(signer)}` spells a promoter's name in another way")
        for signer in _misspelt(raw.revoked.signers, tables.values())
    ]
    problems += [
        _malformed(where, wrong)
        for environment, table in tables.items()
        for wrong in (
            approvers_problem(table.approvers, environment),
            break_glass_problem(table.break_glass_approvers, environment),
        )
        if wrong is not None
    ]
    problems += [
        _malformed(where, wrong)
        for environment, table in tables.items()
        for wrong in _wrong_with_stamps(environment, table)
    ]
    if not tables:
        problems.append(_malformed(where, "trusts nobody: it has no table of an environment"))
    if problems:
        raise ProblemError(*problems)
    return TrustPolicy(
        where=where,
        environments={name: _environment(name, table, files, where) for name, table in tables.items()},
        roots=roots,
        sigstore=sigstore,
        revoked_records=frozenset(raw.revoked.records),
        revoked_signers=frozenset(raw.revoked.signers),
        sha256=_digest(document, files),
    )


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)


_RootFile = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.pem$")]


class _StampAuthority(_Table):
    url: Annotated[str, Field(pattern=r"^[!-~]{1,256}$")]
    roots: Annotated[tuple[_RootFile, ...], Field(min_length=1, max_length=32)]


class _EnvironmentTable(_Table):
    promoters: Annotated[tuple[str | WorkflowTable, ...], Field(min_length=1, max_length=64)]
    approvers: ApproversField = None
    stamp: Literal["required", "none"] | None = None
    time_stamp_authorities: Annotated[tuple[_StampAuthority, ...], Field(max_length=8)] = ()
    previous: Literal["required", "none"] = "none"
    catalogue: Version
    framework: Version | None = None
    break_glass_approvers: ApproversTable | None = None

    def spiffe_ids(self) -> tuple[str, ...]:
        return tuple(each for each in self.promoters if isinstance(each, str))

    def workflows(self) -> tuple[WorkflowTable, ...]:
        return tuple(each for each in self.promoters if isinstance(each, WorkflowTable))


class _Revoked(_Table):
    records: tuple[RecordId, ...] = ()
    signers: tuple[str, ...] = ()


class _Document(_Table):
    rehearsal: _EnvironmentTable | None = None
    staging: _EnvironmentTable | None = None
    production: _EnvironmentTable | None = None
    roots: dict[str, Annotated[tuple[_RootFile, ...], Field(min_length=1, max_length=32)]] = {}
    sigstore: SigstoreTable | None = None
    revoked: _Revoked = _Revoked()


def _read(document: bytes, where: str) -> _Document:
    try:
        members = tomllib.loads(document.decode("utf-8"))
        text = json.dumps(members)
    except (ValueError, TypeError, RecursionError):  # a date has no JSON, and no field here is one
        raise ProblemError(_malformed(where, "is not TOML with the fields of a trust policy")) from None
    try:
        return _Document.model_validate_json(text)
    except ValidationError as error:
        problems = (
            _malformed(where, f"{cite('.'.join(str(part) for part in each['loc']))}: {cite(each['msg'])}")
            for each in error.errors(include_url=False, include_context=False, include_input=False)
        )
        raise ProblemError(*problems) from None


def _malformed(where: str, what: str) -> Problem:
    return Problem(reason="trust-policy-malformed", where=where, what=what, fix=_FIX)


def _problems_of(
    environment: Environment, promoter: str, roots: Mapping[str, object], where: str
) -> list[Problem]:
    if not _is_spiffe_id(promoter):
        return [_malformed(where, f"[{environment}] `{cite(promoter)}` is not a SPIFFE ID with a path")]
    domain = SpiffeId.parse(promoter).trust_domain
    problems: list[Problem] = []
    if (domain == SIMULATED_TRUST_DOMAIN) is not environment.simulated:
        what = f"[{environment}] lets `{promoter}` sign, which is of the other world"
        fix = (f"`{SIMULATED_TRUST_DOMAIN}` signs for `rehearsal` only, and nobody else does",)
        problems.append(Problem(reason="trust-policy-mixes-worlds", where=where, what=what, fix=fix))
    if domain not in roots:
        what = f"[{environment}] lets `{promoter}` sign, and [roots] has none for `{domain}`"
        fix = (f'put the root\'s PEM file beside it and add:  "{domain}" = ["….pem"]',)
        problems.append(Problem(reason="trust-policy-without-root", where=where, what=what, fix=fix))
    return problems


def _problems_with_workflows(
    tables: Mapping[Environment, _EnvironmentTable], sigstore: Sigstore | None, where: str
) -> Iterator[Problem]:
    using = [environment for environment, table in tables.items() if table.workflows()]
    for environment in using:
        for each in tables[environment].workflows():
            if (wrong := wrong_with_workflow(each, environment)) is not None:
                yield _malformed(where, wrong)
        if sigstore is None:
            what = f"[{environment}] lets a workflow sign, and there is no [sigstore] to verify it by"
            fix = ("put both files beside it: docs/guides/sigstore.md",)
            yield Problem(reason="trust-policy-without-root", where=where, what=what, fix=fix)
        else:
            for wrong in wrong_with_files(sigstore, environment):
                yield _malformed(where, wrong)
    if sigstore is not None and not using:
        yield _malformed(where, "[sigstore] is there, and no promoter is a workflow")
    if len({environment.simulated for environment in using}) > 1:
        what = "lets workflows of both worlds sign, and one [sigstore] vouches for all of them"
        fix = ("one trust policy for each world",)
        yield Problem(reason="trust-policy-mixes-worlds", where=where, what=what, fix=fix)


def _is_stamp_required(environment: Environment, table: _EnvironmentTable) -> bool:
    """For production it is, unless the platform says otherwise."""
    return table.stamp == "required" or (table.stamp is None and environment is Environment.PRODUCTION)


def _wrong_with_stamps(environment: Environment, table: _EnvironmentTable) -> Iterator[str]:
    dated = not table.spiffe_ids()  # by Sigstore, which vouches for all that are left
    if _is_stamp_required(environment, table) and not table.time_stamp_authorities and not dated:
        yield f"[{environment}] requires time stamps, and `time_stamp_authorities` names nobody"
    for each in table.time_stamp_authorities:
        if not is_fit(each.url, environment, schemes=("https", "http")):  # a stamp proves itself
            yield f"[{environment}] `{cite(each.url)}` is no time-stamp authority for this environment"


def _load_roots(
    whose: str, names: tuple[str, ...], pem: Mapping[str, bytes], where: str
) -> tuple[x509.Certificate, ...]:
    roots: list[x509.Certificate] = []
    for name in names:
        try:
            found = x509.load_pem_x509_certificates(pem[name])
            authorities = [each for each in found if _is_root(each)]
        except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension, x509.InvalidVersion):
            authorities, found = [], []
        if not found or authorities != found:
            problem = _malformed(where, f"`{name}` of {whose} holds no CA certificate")
            raise ProblemError(problem)
        roots += authorities
    return tuple(roots)


def _is_root(certificate: x509.Certificate) -> bool:
    return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def _environment(
    environment: Environment, table: _EnvironmentTable, files: Mapping[str, bytes], where: str
) -> EnvironmentTrust:
    return EnvironmentTrust(
        promoters=frozenset(table.spiffe_ids()),
        workflows=frozenset(each.workflow() for each in table.workflows()),
        approvers=_approvers(table.approvers, files),
        catalogue=parse_version(table.catalogue),
        framework=None if table.framework is None else parse_version(table.framework),
        stamp_required=_is_stamp_required(environment, table),
        stamp_authorities=tuple(
            StampAuthority(url=each.url, roots=_load_roots(f"`{cite(each.url)}`", each.roots, files, where))
            for each in table.time_stamp_authorities
        ),
        previous_required=table.previous == "required",
        break_glass=None
        if table.break_glass_approvers is None
        else table.break_glass_approvers.approvers(files),
    )


def _approvers(field: ApproversField, files: Mapping[str, bytes]) -> Approvers | ReleasedJob | None:
    if isinstance(field, ApproversTable):
        return field.approvers(files)
    return None if field is None else ReleasedJob(field)


def _misspelt(signers: Iterable[str], tables: Iterable[_EnvironmentTable]) -> Iterator[str]:
    """Revoked names that would revoke nobody: hosts have no case, and names are compared word for word."""
    names = {each if isinstance(each, str) else each.identity for table in tables for each in table.promoters}
    folded = {name.casefold() for name in names}
    yield from (each for each in signers if each not in names and each.casefold() in folded)


def _is_spiffe_id(text: str) -> bool:
    try:
        SpiffeId.parse(text)
    except ValueError:
        return False
    return True


def _digest(document: bytes, pem: Mapping[str, bytes]) -> str:
    parts = [("trust.toml", document), *sorted(pem.items())]
    lines = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in parts)
    return hashlib.sha256(lines.encode("utf-8")).hexdigest()
