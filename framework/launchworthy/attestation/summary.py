"""What do other tools need to know of a record? A Simple Verification Result (in-toto, `svr/v0.1`).

It says that these subjects were verified, by what, when, and with which properties; a policy engine at
admission can ask for a property without knowing our predicate. It allows nothing here: builds and starts
believe the record only.
"""

import json
from collections.abc import Mapping
from typing import Final

from launchworthy.attestation.statement import (
    STATEMENT_TYPE,
    Predicate,
    Subject,
    render_instant,
)
from launchworthy.vocabulary import Environment

SUMMARY_TYPE: Final = "https://in-toto.io/attestation/svr/v0.1"
VERIFIER: Final = "urn:launchworthy:gate"


def summary_name(environment: Environment) -> str:
    """The file name of a summary: `summary-production.intoto.json`; no record is called like that."""
    return f"summary-{environment}.intoto.json"


def render_summary(digests: Mapping[Subject, str], predicate: Predicate) -> bytes:
    """The statement: the same record gives the same bytes.

    Args:
        digests: of the subjects of the record.
        predicate: of the record.
    """
    environment = predicate.environment.value.upper()
    properties = [
        f"LAUNCHWORTHY_PROMOTED_{environment}",
        f"LAUNCHWORTHY_CATALOGUE_{predicate.catalogue}",
        f"LAUNCHWORTHY_RECORD_{predicate.record_id}",
    ]
    if not predicate.waivers:
        properties.append("LAUNCHWORTHY_NOTHING_WAIVED")
    members = {
        "_type": STATEMENT_TYPE,
        "subject": [
            {"name": subject.value, "digest": {subject.algorithm: digests[subject]}} for subject in Subject
        ],
        "predicateType": SUMMARY_TYPE,
        "predicate": {
            "verifier": {"id": f"{VERIFIER}:{predicate.framework}"},
            "timeCreated": render_instant(predicate.signed_at),
            "properties": properties,
        },
    }
    return json.dumps(members, sort_keys=True, separators=(",", ":")).encode("ascii")
