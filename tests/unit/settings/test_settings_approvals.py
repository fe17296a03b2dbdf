"""Where an answer could count twice, or at one replica only, a server with approvals does not start."""

from types import SimpleNamespace

import pytest
from settings_cases import PRODUCTION, changed, in_production, refused

from launchworthy.manifest import BY_FORM
from launchworthy.state.replicas import require_answers_shared
from launchworthy.vocabulary import ProblemError

ASKS = SimpleNamespace(name="refund_order", approval=BY_FORM)
ASKS_NOBODY = SimpleNamespace(name="find_orders", approval=None)
SEVERAL = "[server]\nreplicas = 2\n"
STORE = '[state]\nkind = "valkey"\nurl = "rediss://valkey.orders.svc:6379"\n'
KEY = 'approval_key = "file:/run/secrets/approval"\n'


def settings(*, replicas: bool, state: str):
    text = changed(PRODUCTION, ("[server]\n", SEVERAL)) if replicas else PRODUCTION
    return in_production(text + "\n" + state)


@pytest.mark.parametrize(
    ("replicas", "state", "field"),
    [
        (True, "", "state.kind"),
        (True, f"[state]\n{KEY}", "state.kind"),
        (True, STORE, "state.approval_key"),
        (False, STORE, "state.approval_key"),
    ],
)
def test_replicas_that_share_too_little_ask_nobody(replicas, state, field):
    found = settings(replicas=replicas, state=state)
    with pytest.raises(ProblemError) as stopped:
        require_answers_shared(found, [ASKS_NOBODY, ASKS])
    [problem] = stopped.value.problems
    assert (problem.reason, problem.field) == ("approval-not-shared", field)
    assert "`refund_order`" in problem.what
    require_answers_shared(found, [ASKS_NOBODY])


@pytest.mark.parametrize(("replicas", "state"), [(True, STORE + KEY), (False, STORE + KEY), (False, "")])
def test_replicas_that_share_a_store_and_a_key_may_and_one_process_may_alone(replicas, state):
    require_answers_shared(settings(replicas=replicas, state=state), [ASKS])


@pytest.mark.parametrize("said", ["openbao:kv/orders#approval", "file:/run/secrets/audit-hmac"])
def test_the_key_is_a_file_of_its_own(said):
    text = changed(PRODUCTION, ("[audit]\n", '[audit]\nhmac_key = "file:/run/secrets/audit-hmac"\n'))
    with pytest.raises(ProblemError) as error:
        in_production(f'{text}\n[state]\napproval_key = "{said}"\n')
    assert refused(error).reason == "bad-value"
