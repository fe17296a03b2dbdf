"""Break-glass: a grant is asked for, approved by two people, put in force, and taken back.

launchworthy control request FILE --server … --subject … --target … --lift … --incident … --until 2h
launchworthy approve FILE                   each of two people of the trust policy's break_glass_approvers
launchworthy control grant FILE             into the list that servers read
launchworthy control revoke ID
"""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from launchworthy.cli.choices import TRUST_FILE, Promoted, TrustOption
from launchworthy.cli.control_place import place_of
from launchworthy.cli.control_words import File, Name, Store, Until, Who, Why, instant, line, remove
from launchworthy.cli.ending import YES, end, undecided_on_problems
from launchworthy.vocabulary import Environment, Problem, ProblemError

if TYPE_CHECKING:
    from launchworthy.attestation import Approvers

Request = Annotated[Path, typer.Argument(help="The request: one grant, and its approvals so far.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(short_help="Ask for a grant: write what two people are to approve.")(request)
    app.command(short_help="Put a grant in force that two people have approved.")(grant)
    app.command(short_help="Take grants back.")(revoke)


def request(
    file: Request,
    server: Annotated[str, typer.Option("--server", help="The resource of the server, as in its settings.")],
    issuer: Annotated[str, typer.Option("--issuer", help="Of the caller's tokens, as in the settings.")],
    subject: Annotated[str, typer.Option("--subject", help="The caller's `sub`.")],
    client: Annotated[str, typer.Option("--client", help="The `client_id` that the caller uses.")],
    targets: Annotated[list[str], typer.Option("--target", help="A tool, prompt or resource; repeatable.")],
    lifts: Annotated[list[str], typer.Option("--lift", help="A rule: `team:…`, `approval:…`; repeatable.")],
    incident: Annotated[str, typer.Option("--incident", help="The incident's number.")],
    why: Why,
    who: Who,
    until: Until,
    name: Name = None,
) -> None:
    """Write a grant that nobody has approved yet; nothing is lifted by it."""
    from launchworthy.state.control import Action, Entry, GrantTerms
    from launchworthy.state.control.writing import write_entries

    now = int(time.time())
    with undecided_on_problems():
        entry = Entry(
            id=name or f"grant-{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}-{os.getpid()}",
            action=Action.GRANT,
            targets=tuple(targets),
            name=None,
            who=who,
            why=why,
            since=now,
            until=instant(until, now),
            source="file",
            grant=GrantTerms(
                server=server,
                issuer=issuer,
                subject=subject,
                client=client,
                lifts=tuple(lifts),
                incident=incident,
                approvals=(),
            ),
        )
        write_entries(file, (entry,))
    typer.echo(line(entry))
    typer.echo(f" written to {file}; two people approve it now: launchworthy approve {file}")
    end(YES)


def grant(
    file: Request,
    environment: Annotated[
        Promoted, typer.Option("--environment", help="Whose break-glass approvers count.")
    ] = Promoted.PRODUCTION,
    trust: TrustOption = TRUST_FILE,
    place_file: File = None,
    store: Store = False,
) -> None:
    """Put a grant in force; servers look at its approvals again, and lift nothing without them."""
    from launchworthy.approval.proved.grant import verify_grant
    from launchworthy.approval.proved.keys import pinned_keys
    from launchworthy.state.control.writing import read_request

    place = place_of(place_file, store=store)
    with undecided_on_problems():
        entry = read_request(file)
        people = break_glass_approvers(trust, environment.environment)
        found = verify_grant(
            entry,
            server=entry.grant.server if entry.grant is not None else "",
            approvers=people,
            keys=pinned_keys(people),
            now=int(time.time()),
        )
        place.change(lambda before: (*before, entry))
    typer.echo(line(entry))
    typer.echo(f" approved by {', '.join(sorted({each.name for each in found}))}")
    typer.echo(f" written to {place.name}; each server that reads it follows within two seconds")
    end(YES)


def revoke(
    names: Annotated[list[str], typer.Argument(help="Ids of grants.")],
    file: File = None,
    store: Store = False,
) -> None:
    """Take grants out: what they lifted says no again, from the next call on."""
    from launchworthy.state.control import Action

    remove(place_of(file, store=store), Action.GRANT, names)


def break_glass_approvers(trust: Path, environment: Environment) -> "Approvers":
    """Who approves grants, by the trust policy; a copy of it will do, since each server looks again.

    Raises:
        ProblemError: the policy names nobody.
    """
    from launchworthy.attestation.trust_file import read_copy

    people = read_copy(trust).of(environment).break_glass
    if people is None:
        what = f"names nobody who may approve a grant for `{environment}`"
        fix = ("the platform names people: break_glass_approvers = { … }",)
        raise ProblemError(Problem(reason="nobody-signs-in", where=str(trust), what=what, fix=fix))
    return people
