"""What stands between this call and its permission, if it is a person's yes alone?"""

from launchworthy.manifest import ApprovalRule
from launchworthy.vocabulary import Decision, Reason, Refused


class ApprovalNeeded(Refused):
    """The policy allows this call once somebody has approved it, and nobody has.

    Attributes:
        rule: who must approve it, and how they are asked.
        decision: what an approved call would be allowed by; to be decided again when the answer comes.
    """

    def __init__(self, rule: ApprovalRule, decision: Decision, *, rules: tuple[str, ...]) -> None:
        """Hold what is asked for."""
        super().__init__(Reason.TOOL_APPROVAL, f"somebody must approve it ({rule})", rules=rules)
        self.rule = rule
        self.decision = decision
