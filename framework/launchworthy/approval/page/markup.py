"""What is a person shown? The whole call and two buttons; values escaped, and every character seen.

There is no script and nothing is fetched from anywhere: the content security policy allows one style sheet,
by its digest, and forms that go to this origin.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape
from typing import Final

from launchworthy.approval.browser import Header
from launchworthy.approval.page.cookies import Visit
from launchworthy.approval.page.reading import PageRefused
from launchworthy.approval.page.routes import question_path, sign_in_path
from launchworthy.approval.page.style import DIGEST, STYLE
from launchworthy.approval.shown import visible
from launchworthy.approval.waiting import Standing, Waiting

POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{DIGEST}'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final[tuple[Header, ...]] = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-security-policy", POLICY.encode("ascii")),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
"""Of every page, and of every redirect too."""
FIELD: Final = "answer"
TOKEN: Final = "token"  # noqa: S105 - the name of a field
YES: Final = "approve"
NO: Final = "decline"
_WHAT: Final = {"read": "reads", "write": "changes something", "destructive": "cannot be undone"}


class Pages:
    """Writes the pages of one server."""

    def __init__(self, *, title: str, resource: str, host: str) -> None:
        """Know what stands on each.

        Args:
            title: of the server, for people.
            resource: its URL.
            host: where people sign in.
        """
        self._title = title
        self._resource = resource
        self._host = host

    def invitation(self, waiting: Waiting) -> bytes:
        """Before anybody has signed in: that something waits, for whom, and where they sign in."""
        if waiting.rule.by == "caller":
            who = "Only the person for whom it is made can answer."
        else:
            who = f"Only an approver can answer ({_value(str(waiting.rule.claim))}), and never the caller."
        return self._page(
            "A call waits for an answer",
            f"<p>An agent wants to call <code>{_text(waiting.tool)}</code>. {who}</p>"
            "<p>Sign in to see exactly what it is. Nothing happens before you have read it and said yes.</p>"
            f'<p><a class="button yes" href="{sign_in_path(waiting.handle)}">'
            f"Sign in at {_text(self._host)}</a></p>"
            f'<p class="note">{_until(waiting)}</p>',
            by=waiting.rule.by,
        )

    def question(self, waiting: Waiting, visit: Visit) -> bytes:
        """The whole call, and the form that decides."""
        rows = [
            ("Tool", f"<code>{_text(waiting.tool)}</code> {_effect(waiting.effect)}"),
            ("Client", _value(waiting.client)),
            ("On behalf of", f"{_value(waiting.subject)} of {_value(waiting.issuer)}"),
            *(() if waiting.tenant is None else (("Tenant", _value(waiting.tenant)),)),
            *(("Through", _value(actor)) for actor in waiting.actors),
            ("You are", _signed_in(visit)),
        ]
        return self._page(
            "May this call be made?",
            f"<dl>{''.join(f'<dt>{name}</dt><dd>{value}</dd>' for name, value in rows)}</dl>"
            f"{_arguments(waiting.arguments)}"
            f'<form method="post" action="{question_path(waiting.handle)}">'
            f'<input type="hidden" name="{TOKEN}" value="{_text(visit.token)}">'
            f'<button class="yes" name="{FIELD}" value="{YES}">Approve this call</button>'
            f'<button class="no" name="{FIELD}" value="{NO}">Decline</button></form>'
            f'<p class="note">A yes is for exactly this call, once. {_until(waiting)}</p>',
            by=waiting.rule.by,
        )

    def answered(self, standing: Standing, tool: str) -> bytes:
        """What was just said, and that it counts."""
        if standing is Standing.APPROVED:
            said = "The call that waits for this goes on by itself. It runs once, and as you saw it."
            return self._page(
                "Approved", f"<p><code>{_text(tool)}</code>: {said} You can close this page.</p>"
            )
        said = "The call does not run, and this cannot become a yes any more."
        return self._page("Declined", f"<p><code>{_text(tool)}</code>: {said} You can close this page.</p>")

    def refused(self, refused: PageRefused) -> bytes:
        """A page that says no."""
        again = (
            ""
            if refused.again is None
            else (f'<p><a class="button no" href="{_text(refused.again)}">Try again</a></p>')
        )
        return self._page(refused.title, f"<p>{_text(refused.text)}</p>{again}")

    def _page(self, heading: str, content: str, *, by: str | None = None) -> bytes:
        marked = "" if by is None else f' data-by="{by}"'
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            '<meta name="color-scheme" content="light dark">'
            f"<title>{_text(heading)} · {_text(self._title)}</title><style>{STYLE}</style></head>"
            f'<body><main{marked}><p class="server"><strong>{_text(self._title)}</strong> · '
            f"{_text(self._resource)}</p><h1>{_text(heading)}</h1>{content}</main></body></html>"
        ).encode()


def _arguments(arguments: Iterable[tuple[str, str]]) -> str:
    rows = "".join(
        f'<tr><th scope="row"><code>{_text(name)}</code></th><td><code>{_text(value)}</code></td></tr>'
        for name, value in arguments
    )
    if not rows:
        return '<h2 id="arguments">Arguments</h2><p>It has none.</p>'
    return (
        f'<h2 id="arguments">Arguments</h2><table aria-labelledby="arguments"><tbody>{rows}</tbody></table>'
    )


def _signed_in(visit: Visit) -> str:
    named = _value(visit.subject)
    return named if visit.known_as == "" else f"{_value(visit.known_as)}, {named}"


def _effect(effect: str) -> str:
    return f'<span class="effect">{_text(effect)}: {_text(_WHAT.get(effect, "unknown"))}</span>'


def _until(waiting: Waiting) -> str:
    at = datetime.fromtimestamp(waiting.not_after, UTC)
    return f"It can be answered until {at:%H:%M:%S} UTC."


def _value(value: str) -> str:
    """A name that somebody else chose: whole, and every character of it seen."""
    return f"<code>{_text(visible(value))}</code>"


def _text(text: str) -> str:
    return escape(text, quote=True)
