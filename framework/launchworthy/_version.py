"""The one place that holds the version; the template and the wheel read it."""

__version__ = "0.1.0"
