"""`python -m conformance_server`."""

from conformance_server.server import server
from launchworthy.server import run

run(server)
