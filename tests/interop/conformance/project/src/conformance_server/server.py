"""What the suite meets: its tools, its resources and its prompts."""

from conformance_server import asking, prompts, resources, tools
from launchworthy import Server

server = Server((tools, resources, prompts, asking))
