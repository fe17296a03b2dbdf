"""Every forgery of a record that must fail, and by which reason it fails where; a reference is made of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgery:
    """One forgery.

    Attributes:
        id: of its case in `test_forgeries.py`.
        does: what somebody did.
        hook: the reason with which the build hook leaves no wheel.
        start: the reason with which a server does not start.
        verify: the reason with which `verify-record` ends with 1.
    """

    id: str
    does: str
    hook: str
    start: str
    verify: str

    @classmethod
    def everywhere(cls, name: str, does: str, reason: str) -> "Forgery":
        """One that fails for the same reason at all three places."""
        return cls(id=name, does=does, hook=reason, start=reason, verify=reason)


COMMIT, FILES, WHEEL = "record-for-another-commit", "record-for-other-files", "record-for-another-wheel"
NOT_TRUSTED, CHANGED, TREE = "record-not-trusted", "installation-changed", "tree-not-clean"
FORGERIES: tuple[Forgery, ...] = (
    Forgery.everywhere("none", "There is no record at all", "no-record"),
    Forgery.everywhere("foreign-ca", "An authority of somebody's own names the promoter", NOT_TRUSTED),
    Forgery.everywhere("another-workload", "Another workload signs with its own genuine SVID", NOT_TRUSTED),
    Forgery.everywhere("expired", "The record's dates are over", "record-expired"),
    Forgery.everywhere("altered", "The payload was changed after it was signed", "record-altered"),
    Forgery(
        id="another-commit", does="The record is of the commit before",
        hook=COMMIT, start=WHEEL, verify=COMMIT,
    ),
    Forgery(
        id="other-lock", does="Commit and tree are the record's, `uv.lock` is another",
        hook=FILES, start=WHEEL, verify=FILES,
    ),
    Forgery(
        id="manifest-dirty", does="A manifest was edited and not committed",
        hook=TREE, start=WHEEL, verify=TREE,
    ),
    Forgery(
        id="manifest-committed", does="A manifest was edited and committed",
        hook=COMMIT, start=WHEEL, verify=COMMIT,
    ),
    Forgery.everywhere(
        "other-environment", "The record is for staging", "record-for-another-environment"
    ),
    Forgery.everywhere(
        "older-catalogue", "The record rests on a catalogue below the platform's floor", "record-outdated"
    ),
    Forgery.everywhere("revoked", "The platform has revoked the record's id", "record-revoked"),
    Forgery.everywhere("revoked-signer", "The platform has revoked who signed", "record-revoked"),
    Forgery.everywhere("unstamped", "A time stamp is required, and there is none", "record-not-stamped"),
    Forgery.everywhere(
        "simulated-signer", "A simulated identity signs for production", NOT_TRUSTED
    ),
    Forgery.everywhere(
        "ca-rotated-away", "The authority was rotated, and its old root is pinned nowhere", NOT_TRUSTED
    ),
    Forgery.everywhere(
        "promoter-in-tree", "A trust policy in the tree, or in the package, names another promoter",
        "trust-policy-in-project",
    ),
    Forgery.everywhere(
        "signs-for-itself", "The project's code signs, with the server's own SVID", NOT_TRUSTED
    ),
    Forgery.everywhere(
        "another-workflow", "Another workflow of the same repository signs by way of Sigstore", NOT_TRUSTED
    ),
    Forgery.everywhere(
        "another-repository", "The promoter's own workflow signs, called by somebody else's repository",
        NOT_TRUSTED,
    ),
    Forgery.everywhere(
        "run-of-another-commit", "The promoter's workflow signs in a run for another commit", NOT_TRUSTED
    ),
    Forgery.everywhere(
        "altered-in-the-log", "The payload that a workflow signed was changed", "record-altered"
    ),
    Forgery.everywhere(
        "unverifiable", "A workflow signed, and Sigstore's library is not there to verify it",
        "sigstore-not-installed",
    ),
    Forgery(
        id="pth", does="A `.pth` beside the package patches the gate before it runs",
        hook="wheel-of-another-tree", start=CHANGED, verify=CHANGED,
    ),
    Forgery(
        id="tool-module", does="A tool module, put there after the record, patches the gate",
        hook=TREE, start=WHEEL, verify=TREE,
    ),
    Forgery(
        id="patched-framework", does="A file of the framework is another than its wheel brought",
        hook="wheel-of-another-tree", start=CHANGED, verify=CHANGED,
    ),
)  # fmt: skip


def forgery_page() -> str:
    """`docs/reference/forgeries.md`."""
    rows = "\n".join(
        f"| {each.does} | `{each.hook}` | `{each.start}` | `{each.verify}` |" for each in FORGERIES
    )
    return f"""# Forgeries that fail

Written by `nox -s references` from `tests/integration/forgeries/forgery_list.py`; do not edit.
`tests/integration/forgeries/test_forgeries.py` commits each of them at all three places, and sees it fail
for the reason that stands here. The same record without the forgery is built, starts and is verified.

| what somebody did | build hook | start | `verify-record` |
|---|---|---|---|
{rows}

A tree is judged where there is one: the hook and `verify-record` compare the commit, a start what is
installed.
A tool module that was there when the record was signed is caught earlier: one rehearsal starts the production
command without a record, which must end; and a start compares each function of the framework with its file
(`framework-patched`).

What none of this stops: who controls the image, the deployment or the trust policy can replace the runtime
and whom it asks. That is for admission, outside of the process.
"""
