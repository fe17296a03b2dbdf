"""Where may the code of a call connect to, and what did it try?

`calls` is what one call may reach; `guard` makes Python ask it, and `loop` makes uvloop ask it. What is in C
and resolves or connects by itself is not seen: `docs/guides/egress.md` says what follows from that.
"""

from launchworthy.egress.calls import CallEgress, EgressDenied, carried, current, ours

__all__ = ["CallEgress", "EgressDenied", "carried", "current", "ours"]
