"""How is one thing said that a probe looks at? The same few sentences for cases and for documents."""

from dataclasses import dataclass
from hashlib import sha256

from launchworthy.audit.sanitiser import sanitise
from launchworthy.probe.answer import Answer
from launchworthy.probe.case import Case
from launchworthy.probe.judging import right, summary
from launchworthy.probe.report import Finding, Result, Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What is looked at, and what is right.

    Attributes:
        id: `metadata.resource`.
        title: what is looked at.
        right: what must be seen.
        why: what goes wrong where it is not.
        source: the clauses that it follows from.
    """

    id: str
    title: str
    right: str
    why: str
    source: str

    def found(
        self,
        *,
        revision: str | None = None,
        target: str | None = None,
        seen: Seen | None = None,
        twin: Seen | None = None,
        wrong: tuple[str, ...] = (),
        not_run: str | None = None,
    ) -> Finding:
        """The finding: not run where it says why, wrong where something is, right otherwise.

        Raises:
            ValueError: it would be right without anything that was seen.
        """
        if not_run is None and not wrong and seen is None:
            raise ValueError(f"nothing was seen of `{self.id}`, so nothing is right")
        result = Result.NOT_RUN if not_run is not None else (Result.WRONG if wrong else Result.RIGHT)
        return Finding(
            case=self.id,
            family=self.id.partition(".")[0],
            revision=revision,
            target=target,
            result=result,
            title=self.title,
            right=self.right,
            why=self.why,
            source=self.source,
            seen=seen,
            twin=twin,
            wrong=tuple(sanitise(each) for each in wrong),
            not_run=None if not_run is None else sanitise(not_run),
        )


def row_of(case: Case) -> Row:
    """The row of a case."""
    return Row(id=case.id, title=case.title, right=right(case), why=case.why, source=case.source)


def seen_of(answer: Answer | None, why: str) -> Seen:
    """What is kept of an answer, or of there being none."""
    if answer is None:
        return Seen(status=None, summary=sanitise(why), body_sha256=None, body_bytes=0)
    return Seen(
        status=answer.status,
        summary=summary(answer),
        body_sha256=sha256(answer.body).hexdigest(),
        body_bytes=len(answer.body),
    )
