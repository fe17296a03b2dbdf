"""The orders of the example, as this version can promise them."""

import pytest

TOOLS = """\
#:schema ../.launchworthy/tools.schema.json
# Every tool, resource and prompt of this server: what is not declared here is not served.

[tools.find_orders]
effect    = "read"
scopes    = ["orders:read"]
acts_on   = "customer/{customer}"
arguments = { customer = "clear", limit = "clear" }  # in the audit: clear, hmac (default), drop
example   = { customer = "c-17" }                    # rehearsed, shown in docs and `dev call`

[tools.place_order]
effect    = "write"
scopes    = ["orders:write"]
acts_on   = "customer/{customer}"
arguments = { customer = "clear", item = "clear", quantity = "clear" }
example   = { customer = "c-17", item = "teapot", quantity = 2 }
rehearse  = true                                     # run it in the simulated world
policy_inputs = ["quantity"]                         # all that policy/*.cedar may look at

[tools.refund_order]
effect    = "destructive"                            # the audit waits for the disk
scopes    = ["orders:refund"]
acts_on   = "order/{order_id}"
arguments = { order_id = "clear", reason = "drop" }
example   = { order_id = 1, reason = "arrived in pieces" }
rehearse  = true
approval  = "none"
approval_reason = "the payment service asks a person itself"
timeout   = "10s"

[resources.order]
uri       = "orders://order/{order_id}"
scopes    = ["orders:read"]
arguments = { order_id = "clear" }
example   = { order_id = 1 }

[prompts.complaint]
scopes    = ["orders:read"]
"""

SERVER = """\
#:schema ../.launchworthy/server.schema.json
# Who answers for this server. A value ending in `.invalid` was left for later: promotion holds on it.

name        = "orders"
title       = "Orders"
description = "Find, place and refund orders of the web shop"

[ownership]
owner     = "@acme/orders"                           # a group, never a person
on_call   = "https://on-call.acme.invalid/orders"
security  = "security@acme.example"
approvers = ["@acme/payments-leads"]                 # of promotions they did not write; trust.toml decides
runbook   = "RUNBOOK.md"
reviewed  = 2026-11-20                               # when the owner last read all this; good for 90 days

[scopes]
entry = ["orders:read"]                              # what the 401 asks for; never a destructive tool's

[data]
classification  = "internal"                         # public | internal | confidential | restricted
tenancy         = "single"                           # single | multi
audit_retention = "400d"

[lifecycle]
stage        = "active"                              # active | deprecated | retired
decommission = "RUNBOOK.md#decommission"
"""


class Project:
    """Texts that a test edits, and then the bytes that are loaded."""

    def __init__(self):
        self.texts = {"manifests/server.toml": SERVER, "manifests/tools.toml": TOOLS}

    def edit(self, old, new, path="manifests/tools.toml"):
        assert self.texts[path].count(old) >= 1, f"nothing to edit: {old}"
        self.texts[path] = self.texts[path].replace(old, new, 1)
        return self

    def edit_server(self, old, new):
        return self.edit(old, new, "manifests/server.toml")

    def add(self, text, path="manifests/tools.toml"):
        self.texts[path] = self.texts.get(path, "") + text
        return self

    @property
    def files(self):
        return {path: text.encode() for path, text in self.texts.items()}


@pytest.fixture
def project():
    return Project()
