"""`python -m launchworthy.cli`: the command line where no script was installed."""

from launchworthy.cli.main import app

app(prog_name="launchworthy")
