"""Where does the artefact come from, and what is in it? A bill of materials, and a build that is attested.

The promoted wheel is the rehearsed one by its content digest, which the record names and the build hook and
the start compare. What a record cannot know is the finished file and the image: those stand in the provenance
that the release makes after the build, and that admission reads.
"""

from collections.abc import Iterator
from typing import Final

from launchworthy.promotion.checks.assertions import broken, seen
from launchworthy.promotion.checks.workflows import jobs_that_attest_builds
from launchworthy.promotion.evidence.pieces import pieces
from launchworthy.promotion.finding import Assertion
from launchworthy.promotion.project import Project
from launchworthy.promotion.registry import registry
from launchworthy.promotion.sbom import component_count, unhashed

_CONTROL: Final = "SUP-02"
_WORKFLOWS: Final = ".github/workflows/"


@registry.check("SUP-02")
def what_is_in_it_can_be_listed(project: Project) -> Iterator[Assertion]:
    """Everything that production installs is in the lock, with a hash of each file."""
    lock = project.text("uv.lock")
    if lock is None:
        yield broken("there is no uv.lock to make a bill of materials of", None, "uv lock, and commit it")
        return
    content = lock.encode("utf-8")
    for name in unhashed(content):
        yield broken(f"`{name}` is in the bill of materials without a hash", "uv.lock", "uv lock")
    yield seen(f"a bill of materials lists {component_count(content)} distributions; the record names it")


@registry.check("SUP-02")
def where_it_was_built_is_attested(project: Project) -> Iterator[Assertion]:
    """A job attests the provenance of what the gated build made, or approved evidence says who does."""
    found = False
    for path, text in project.texts():
        if path.startswith(_WORKFLOWS) and path.endswith((".yml", ".yaml")):
            for job in jobs_that_attest_builds(text):
                if job.mistake is None:
                    found = True
                    yield seen(f"job `{job.name}` of {path} attests where the wheel was built")
                else:
                    yield broken(f"job `{job.name}` {job.mistake}", path, "see the template's release.yml")
    for piece in pieces(project, _CONTROL):
        if piece.approved_by is not None:
            found = True
            yield seen(f"{piece.table.file} says how builds are attested; approved by {piece.approved_by}")
    if not found:
        yield broken(
            "nothing attests where the wheel is built",
            None,
            "a job after the build that uses actions/attest-build-provenance on dist/*.whl,",
            "or [[evidence]] of SUP-02 that says what does it elsewhere, with an approval",
        )
