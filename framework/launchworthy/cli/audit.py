"""What happened, and are the files what was written? `audit verify`, and the commands of other files."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from launchworthy.cli.audit_hash import hash_
from launchworthy.cli.audit_ship import ship
from launchworthy.cli.audit_show import show
from launchworthy.cli.choices import Output
from launchworthy.cli.ending import UNDECIDED, end, undecided_on_problems

_LARGE = 64 * 1024 * 1024

app = typer.Typer(help="Verify and read the audit log.", no_args_is_help=True)


@app.command()
def verify(
    paths: Annotated[list[Path], typer.Argument(help="Audit files, or directories of them.")],
    key: Annotated[
        list[str] | None, typer.Option("--key", help="A verifier key that is known to be ours.")
    ] = None,
    trust: Annotated[
        Path | None, typer.Option("--trust", help="A directory of archived trust bundles (PEM).")
    ] = None,
    anchors: Annotated[
        list[Path] | None,
        typer.Option("--anchors", help="Output of the server, with checkpoints kept elsewhere."),
    ] = None,
    require_sealed: Annotated[
        bool, typer.Option("--require-sealed", help="A file that was not closed is a no.")
    ] = False,
    output: Annotated[Output, typer.Option("--format", help="How to print it.")] = Output.TEXT,
) -> None:
    """Are these files what was written? 0 intact, 1 tampered, 2 could not be decided."""
    from launchworthy.audit.anchors import read_anchors
    from launchworthy.audit.verification import verify_paths
    from launchworthy.audit.verification_report import report

    with undecided_on_problems():
        notes = read_anchors(line for path in anchors or () for line in path.read_text().splitlines())
        result = verify_paths(
            paths,
            require_sealed=require_sealed,
            pinned_keys=key or (),
            trust_directory=trust,
            anchors=notes,
            progress=_progress(paths),
        )
    if output is Output.JSON:
        typer.echo(report(result).model_dump_json(indent=1))
    else:
        typer.echo("\n".join(result.lines()))
        if result.exit_code == UNDECIDED and trust is None and key is None:
            typer.echo("→ name whom to believe: --trust DIRECTORY (of TRUST-DOMAIN.pem), or --key", err=True)
    end(result.exit_code)


def _progress(paths: list[Path]) -> Callable[[int], None] | None:
    """Say on a terminal how far it is, where that takes a while; nothing where nobody looks."""
    from launchworthy.audit.reading import audit_files

    whole = sum(file.stat().st_size for path in paths if path.exists() for file in audit_files(path))
    if whole < _LARGE or not sys.stderr.isatty():
        return None
    done = 0

    def tell(taken: int) -> None:
        nonlocal done
        done += taken
        end = "\n" if done >= whole else ""
        print(f"\r{done >> 20} of {whole >> 20} MiB", end=end, file=sys.stderr, flush=True)  # noqa: T201 - a terminal

    return tell


app.command()(show)
app.command("hash")(hash_)
app.command()(ship)
