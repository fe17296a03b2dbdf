"""Orders: an MCP server on launchworthy."""
