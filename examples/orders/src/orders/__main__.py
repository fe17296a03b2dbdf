"""`python -m orders`: what the container runs."""

from launchworthy.server import run

from orders.server import server

run(server)
