"""What is measured: one tool that adds, twice declared."""

from bench_server import tools
from launchworthy import Server

server = Server(tools)
