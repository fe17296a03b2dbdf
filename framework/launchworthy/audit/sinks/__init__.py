"""Where do records go from here? One file for each kind of receiver, each imported when it is used."""

from launchworthy.audit.sinks.sink import Line, Sink, SinkUnavailable

__all__ = ["Line", "Sink", "SinkUnavailable"]
