"""A request that may not go through.

ToolError            a tool's own failure, for the caller to read
Refused              a request is refused; carries a `Reason` and a detail for the audit
"""

from launchworthy.vocabulary.reason import Reason


class ToolError(Exception):
    """A failure that the caller should read; any other exception of a tool is masked."""


class Refused(Exception):
    """This request does not go through.

    The answer on the wire is built from `reason` (and `scopes`, `retry_after`) alone; `detail` is for the
    audit and, under `launchworthy dev`, for the developer's terminal.
    """

    def __init__(
        self,
        reason: Reason,
        detail: str,
        *,
        scopes: tuple[str, ...] = (),
        retry_after: int | None = None,
        rules: tuple[str, ...] = (),
    ) -> None:
        """Hold why.

        Args:
            reason: the stable reason.
            detail: one sentence for the operator; never a token or an argument's value.
            scopes: all scopes of the operation, for `tool.scope` only.
            retry_after: seconds, for what may pass by itself.
            rules: ids of the policies that said no, for `tool.policy` and `tool.approval`.
        """
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail
        self.scopes = scopes
        self.retry_after = retry_after
        self.rules = rules
