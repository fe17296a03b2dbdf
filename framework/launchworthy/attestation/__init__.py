"""Is this record genuine, and is it for this tree? Statement, envelope, trust policy, verification, signing.

What touches files is imported by its own name: `trust_file`, `tree`, `content`, `records`, `build_hook`.
"""

from launchworthy.attestation.approvers import Approvers, ReleasedJob
from launchworthy.attestation.envelope import Envelope, parse_envelope, render_envelope
from launchworthy.attestation.facts import REQUIRED, Facts, Purpose
from launchworthy.attestation.json_document import MalformedRecordError
from launchworthy.attestation.refusals import REASONS
from launchworthy.attestation.signing import Signer, Stamper, X509SvidSigner, sign_payload, sign_statement
from launchworthy.attestation.stamp import StampAuthority
from launchworthy.attestation.statement import (
    BUILD_LIMIT,
    RUN_LIMIT,
    ApprovalReference,
    Counts,
    Predicate,
    RecordReference,
    Renewal,
    Statement,
    Subject,
    Waiver,
    new_statement,
    parse_statement,
    render_instant,
    render_statement,
)
from launchworthy.attestation.svid import SpiffeId, UntrustedSignerError
from launchworthy.attestation.trust import EnvironmentTrust, TrustPolicy, parse_trust_policy, root_files
from launchworthy.attestation.verification import (
    UnverifiedRecord,
    VerifiedRecord,
    revocation_of,
    unverified_environment,
    verify_longest_lasting,
    verify_record,
)
from launchworthy.attestation.workflow import Sigstore, Workflow

__all__ = [
    "BUILD_LIMIT",
    "REASONS",
    "REQUIRED",
    "RUN_LIMIT",
    "ApprovalReference",
    "Approvers",
    "Counts",
    "Envelope",
    "EnvironmentTrust",
    "Facts",
    "MalformedRecordError",
    "Predicate",
    "Purpose",
    "RecordReference",
    "ReleasedJob",
    "Renewal",
    "Signer",
    "Sigstore",
    "SpiffeId",
    "StampAuthority",
    "Stamper",
    "Statement",
    "Subject",
    "TrustPolicy",
    "UntrustedSignerError",
    "UnverifiedRecord",
    "VerifiedRecord",
    "Waiver",
    "Workflow",
    "X509SvidSigner",
    "new_statement",
    "parse_envelope",
    "parse_statement",
    "parse_trust_policy",
    "render_envelope",
    "render_instant",
    "render_statement",
    "revocation_of",
    "root_files",
    "sign_payload",
    "sign_statement",
    "unverified_environment",
    "verify_longest_lasting",
    "verify_record",
]
