"""How is a record refused? Each reason with what to do about it, and the words for what differs."""

from collections.abc import Mapping
from typing import NoReturn

from launchworthy.attestation.facts import Facts, Purpose
from launchworthy.attestation.statement import Subject
from launchworthy.vocabulary import Problem, ProblemError

_PROMOTE = "launchworthy promote; then your CI signs (release.yml)"
_CHECK_OUT = "build from the commit that was promoted, or promote this one: launchworthy promote"
REASONS: Mapping[str, tuple[str, ...]] = {
    "no-record": (_PROMOTE,),
    "record-malformed": (
        "take the file as `launchworthy attest` wrote it: it is signed once and edited never",
    ),
    "record-for-another-environment": ("promote for this environment: launchworthy promote --environment …",),
    "record-not-trusted": (
        "let the promoter of this environment sign; who that is stands in the platform's trust.toml",
    ),
    "record-not-approved": (
        "let one of the approvers of the platform's trust.toml approve the report: launchworthy approve",
    ),
    "record-without-previous": (
        "keep the last record as approvals/record-<environment>.dsse.json, commit it, and promote again",
    ),
    "record-not-stamped": (
        "sign again: launchworthy attest asks an authority of the platform's trust.toml for a time stamp",
    ),
    "record-stamp-not-trusted": (
        "sign again: launchworthy attest; whose time stamps count stands in the platform's trust.toml",
    ),
    "sigstore-not-installed": ("install it where the record is verified: uv add 'launchworthy[sigstore]'",),
    "record-altered": ("take the file as it was signed, and find out who changed it",),
    "record-revoked": ("ask the platform why; a new record needs a new promotion: launchworthy promote",),
    "record-outdated": ("upgrade launchworthy (python3 noxfile.py -s upgrade), and promote again",),
    "record-not-yet-valid": ("set this machine's clock, or the signer's",),
    "record-expired": (_PROMOTE,),
    "record-for-another-commit": (_CHECK_OUT,),
    "record-for-other-files": (_CHECK_OUT,),
    "record-for-another-wheel": (
        "build with the versions of hatchling and launchworthy that were rehearsed, from a clean tree,",
        "and install that wheel without changing a file of it",
    ),
}
"""Reason → what to do. Every refusal of a record has one of these reasons."""

_SHOWN_DIGITS = 12
_SHOWN_COMMIT = 7
_REASON_OF = {
    Subject.COMMIT: "record-for-another-commit",
    Subject.TREE: "record-for-another-commit",
    Subject.WHEEL: "record-for-another-wheel",
}
_WORDS = {
    Subject.COMMIT: "commit",
    Subject.TREE: "tree",
    Subject.UV_LOCK: "`uv.lock`",
    Subject.LOCK: "`launchworthy.lock`",
    Subject.MANIFESTS: "manifests as loaded",
    Subject.MANIFEST_FILES: "`manifests/`",
    Subject.POLICY: "policy as compiled",
    Subject.POLICY_FILES: "`policy/`",
    Subject.SETTINGS: "settings as resolved",
    Subject.SETTINGS_FILES: "`config/`",
    Subject.PROMOTION_FILES: "`promotion.toml`",
    Subject.CATALOGUE: "catalogue of controls",
    Subject.WHEEL: "wheel",
}


def problem_of(reason: str, where: str, what: str) -> Problem:
    """One of `REASONS`, said of a place."""
    return Problem(reason=reason, where=where, what=what, fix=REASONS[reason])


def refuse(reason: str, where: str, what: str) -> NoReturn:
    """Raise one of `REASONS`.

    Raises:
        ProblemError: always.
    """
    raise ProblemError(problem_of(reason, where, what))


def no_record(facts: Facts, purpose: Purpose, searched: str) -> Problem:
    """There is none: `a production build of commit 8d1e0b7 needs a promotion record, and … has none`."""
    act = "build" if purpose in (Purpose.BUILD, Purpose.BUILT) else "start"
    commit = facts.digests.get(Subject.COMMIT)
    of = "" if commit is None else f" of commit {commit[:_SHOWN_COMMIT]}"
    what = f"a {facts.environment} {act}{of} needs a promotion record, and {searched} has none"
    return Problem(reason="no-record", what=what, fix=REASONS["no-record"])


def difference(where: str, here: Mapping[Subject, str], said: Mapping[Subject, str]) -> tuple[Problem, ...]:
    """What differs, one problem a reason.

    Args:
        where: where the record was found.
        here: the digests that differ; at least one.
        said: what the record says, of all subjects.
    """
    groups: dict[str, list[Subject]] = {}
    for subject in Subject:
        if subject in here:
            groups.setdefault(_REASON_OF.get(subject, "record-for-other-files"), []).append(subject)
    return tuple(
        problem_of(
            reason, where, "is about another " + ", ".join(_compare(each, here, said) for each in group)
        )
        for reason, group in groups.items()
    )


def _compare(subject: Subject, here: Mapping[Subject, str], said: Mapping[Subject, str]) -> str:
    return f"{_WORDS[subject]} ({said[subject][:_SHOWN_DIGITS]}, here {here[subject][:_SHOWN_DIGITS]})"
