"""Does a person agree to exactly this? `approve`: they sign in for it, and the proof is kept."""

import os
import subprocess
import time
import webbrowser
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from launchworthy.cli.choices import TRUST_FILE, Promoted, TrustOption
from launchworthy.cli.control_grant import break_glass_approvers
from launchworthy.cli.ending import NO, UNDECIDED, YES, end, say, undecided_on_problems
from launchworthy.vocabulary import Environment, Problem, ProblemError

if TYPE_CHECKING:
    from launchworthy.approval.proved.matter import Matter
    from launchworthy.attestation import Approvers

NONCE_VARIABLE = "APPROVAL_NONCE"
_TOKEN_SECONDS = 300


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(short_help="Approve a report, waiver, rotation, evidence, exception or lock.")(approve)


def approve(
    file: Annotated[
        Path,
        typer.Argument(
            help="dist/promotion/report.json, promotion.toml, a lock, settings, or a request for a grant"
        ),
    ],
    environment: Annotated[
        Promoted, typer.Option("--environment", help="For which environment.")
    ] = Promoted.PRODUCTION,
    trust: TrustOption = TRUST_FILE,
    token_command: Annotated[
        str | None,
        typer.Option(
            "--id-token-command",
            help=f"Prints an ID token with the nonce in {NONCE_VARIABLE}; a browser is opened if not said.",
        ),
    ] = None,
    agree: Annotated[bool, typer.Option("--yes", help="Do not ask: what is shown is agreed to.")] = False,
) -> None:
    """Sign in for each thing that a file asks for; the proof lies in approvals/, or beside the report."""
    from launchworthy.approval.proved.keys import keys_of
    from launchworthy.approval.proved.proof import render_proof, verify_proof
    from launchworthy.promotion.approvals.asking import approvable, keep

    with undecided_on_problems():
        asked = approvable(file, environment=environment.environment)
        people = _people(trust, environment.environment, grant=asked.grant is not None)
        simulated = environment.environment.simulated
        keys = cache(partial(keys_of, people, simulated=simulated))  # once, however much is approved
        refused = 0
        for matter in asked.matters:
            typer.echo(f" {matter.kind.value}  {matter.says}")
            if not agree and not typer.confirm(" Do you approve this?"):
                refused += 1
                continue
            token = _id_token(people, matter, token_command, simulated=simulated)
            try:
                content = render_proof(matter, token)
                approval = verify_proof(
                    content,
                    matter,
                    approvers=people,
                    keys=keys(),
                    now=int(time.time()),
                    where=matter.file_name,
                )
            except ProblemError as error:
                for problem in error.problems:
                    say("not approved", problem)
                end(NO)
            typer.echo(f" approved by {approval.name}: {keep(asked, matter, content)}")
    if not asked.matters:
        typer.echo(" nothing here waits for an approval")
    end(NO if refused else YES)


def _people(trust: Path, environment: Environment, *, grant: bool) -> "Approvers":
    """Who approves, by the trust policy; a copy of it will do, since `attest` looks again.

    Raises:
        ProblemError: the policy asks no people.
    """
    from launchworthy.attestation import Approvers
    from launchworthy.attestation.trust_file import read_copy

    if grant:
        return break_glass_approvers(trust, environment)
    approvers = read_copy(trust).of(environment).approvers
    if not isinstance(approvers, Approvers):
        what = f"asks nobody to sign in for `{environment}`"
        fix = ("where a job is released, release it; the platform names people in `approvers`",)
        raise ProblemError(Problem(reason="nobody-signs-in", where=str(trust), what=what, fix=fix))
    return approvers


def _id_token(people: "Approvers", matter: "Matter", command: str | None, *, simulated: bool) -> str:
    if command is not None:
        return _commanded(command, matter.nonce)
    from launchworthy.promotion.approvals.sign_in import Place, sign_in

    def show(url: str) -> None:
        typer.echo(f" sign in here:\n   {url}")
        webbrowser.open(url)

    return sign_in(
        Place(issuer=people.issuer, client=people.client, simulated=simulated), matter.nonce, show=show
    )


def _commanded(command: str, nonce: str) -> str:
    try:
        done = subprocess.run(  # noqa: S602 - the caller's own command, in the caller's own shell
            command,
            shell=True,
            env={**os.environ, NONCE_VARIABLE: nonce},
            capture_output=True,
            text=True,
            timeout=_TOKEN_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        done = None
    token = done.stdout.strip() if done is not None and done.returncode == 0 else ""
    if token.count(".") != 2:  # noqa: PLR2004 - three parts
        problem = Problem(
            reason="sign-in-failed",
            what="the command for ID tokens printed none",
            fix=(f"it prints one ID token whose nonce is ${NONCE_VARIABLE}, and nothing else",),
        )
        say("could not decide", problem)
        end(UNDECIDED)
    return token
