"""`python -m bench_server`."""

from bench_server.server import server
from launchworthy.server import run

run(server)
