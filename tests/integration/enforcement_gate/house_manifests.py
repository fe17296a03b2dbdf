"""What the house declares: who may call which of its functions, and one rule of its own."""

SCOPES = ("shop:read", "shop:write", "shop:wipe", "shop:hidden")
SERVER = b"""
name = "shop"
title = "Shop"
description = "A shop for tests"
[ownership]
owner = "@acme/shop"
on_call = "https://on-call.acme.example/shop"
security = "security@acme.example"
approvers = ["@acme/leads"]
runbook = "RUNBOOK.md"
reviewed = 2026-11-20
[scopes]
entry = ["shop:read"]
[budget]
write = "2/hour"
[data]
classification = "internal"
tenancy = "single"
audit_retention = "400d"
[lifecycle]
stage = "active"
decommission = "RUNBOOK.md#decommission"
"""
RULES = b"""
@id("team:no-large-sums")
@says("nobody adds to 1000")
forbid (principal, action == Action::"add", resource) when { context.arguments.a == 1000 };
"""
_READ = (
    "remember",
    "say_no",
    "leak",
    "leak_in_thread",
    "lie",
    "leave",
    "count",
    "pulse",
    "wait",
    "wait_in_thread",
    "nest",
    "leave_a_task",
    "mirrored",
    "read_token",
    "touch",
    "touch_in_thread",
    "spin",
)
_TOOLS = """
[tools.add]
effect = "read"
scopes = ["shop:read"]
policy_inputs = ["a"]
example = { a = 1, b = 2 }

[tools.find_orders]
effect = "read"
scopes = ["shop:read", "shop:write"]
arguments = { customer = "clear" }
acts_on = "customer/{customer}"

[tools.wipe]
effect = "destructive"
scopes = ["shop:wipe"]
approval = "none"
approval_reason = "a test that nobody approves"
arguments = { order_id = "drop" }

[tools.hidden]
effect = "read"
scopes = ["shop:hidden"]
visibility = "secret"

[tools.elsewhere]
effect = "read"
scopes = ["shop:read"]
environments = ["production"]

[tools.limited]
effect = "read"
scopes = ["shop:read"]
rate = "2/minute"

[tools.crowded]
effect = "read"
scopes = ["shop:read"]
concurrency = 1

[tools.note_down]
effect = "write"
scopes = ["shop:write"]

[tools.note_again]
effect = "write"
scopes = ["shop:write"]

[tools.too_long]
effect = "read"
scopes = ["shop:read"]
timeout = "1s"

[tools.gives_up]
effect = "read"
scopes = ["shop:read"]
timeout = "1s"

[tools.too_long_in_thread]
effect = "read"
scopes = ["shop:read"]
timeout = "1s"

[resources.order]
uri = "shop://order/{order_id}"
completions = true
scopes = ["shop:read"]
arguments = { order_id = "clear" }

[resources.note]
uri = "shop://note/{name}"
scopes = ["shop:read"]

[resources.label]
uri = "shop://label/{text}"
scopes = ["shop:read"]
arguments = { text = "clear" }

[resources.logo]
uri = "shop://logo"
scopes = ["shop:read"]

[resources.hidden_note]
uri = "shop://hidden"
scopes = ["shop:hidden"]
visibility = "secret"

[resources.broken]
uri = "shop://broken"
scopes = ["shop:read"]

[prompts.greet]
scopes = ["shop:read"]
completions = true

[prompts.whisper]
scopes = ["shop:hidden"]
visibility = "secret"
completions = true

[prompts.talk]
scopes = ["shop:read"]

[prompts.refuse_to_talk]
scopes = ["shop:write"]
completions = true
"""


def manifest_files() -> dict[str, bytes]:
    plain = "".join(f'[tools.{name}]\neffect = "read"\nscopes = ["shop:read"]\n' for name in _READ)
    return {"manifests/server.toml": SERVER, "manifests/tools.toml": (_TOOLS + plain).encode()}
