"""A server with what the official conformance suite asks for."""
