"""A server to be measured."""
