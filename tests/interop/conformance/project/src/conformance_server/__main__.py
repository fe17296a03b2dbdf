"""`python -m conformance_server`."""

from conformance_server.asking import InnerPointThatAsks
from conformance_server.server import server
from launchworthy.enforcement import dispatch
from launchworthy.server import run

dispatch.InnerPoint = InnerPointThatAsks
run(server)
