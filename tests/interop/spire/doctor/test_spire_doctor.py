"""What does the doctor say of a real agent? The same steps at fault as with the simulated one."""

import os
import signal
import time

from spire import eventually

from launchworthy.identity.doctor import IdentityQuestion, Mark, answer
from launchworthy.identity.surroundings import this_process

ORDERS = "simulated/orders"


def asked(spire, path=ORDERS, **other):
    question = IdentityQuestion(
        **{
            "kind": "spiffe",
            "endpoint": spire.endpoint,
            "endpoint_from": "config/production.toml:14",
            "expected_id": spire.id(path),
            "trust_domains": (spire.trust_domain,),
            "owner_uids": (os.getuid(),),
            "call_timeout": 3.0,
            "process": this_process(),
            "pod": None,
            **other,
        }
    )
    return answer(question, clock=time.time)


def at_fault(found):
    assert found.gets is None
    assert found.advice
    [bad] = [step for step in found.steps if step.mark is Mark.BAD]
    return bad.step.value, found.failure.cause.value


def test_each_state_of_a_real_agent_has_its_step(spire):
    assert at_fault(asked(spire)) == ("entry", "no-entry")
    other = spire.entry("simulated/billing")
    spire.gives("simulated/billing")
    found = asked(spire)
    assert at_fault(found) == ("identity", "other-identity")
    assert spire.id("simulated/billing") in found.failure.detail
    spire.entry(ORDERS)
    spire.gives(ORDERS)
    found = asked(spire)
    assert (found.exit_code, found.gets) == (0, spire.id(ORDERS))
    spire.delete(other)
    elsewhere = asked(spire, trust_domains=("acme.example",), expected_id="spiffe://acme.example/orders")
    assert at_fault(elsewhere) == ("identity", "other-trust-domain")
    spire.agent.send_signal(signal.SIGSTOP)
    try:
        assert at_fault(asked(spire, call_timeout=0.5)) == ("agent", "no-answer")
    finally:
        spire.agent.send_signal(signal.SIGCONT)
    spire.stop_agent()
    assert at_fault(asked(spire)) == ("socket", "nothing-listens")
    spire.start_agent()
    eventually(lambda: asked(spire).exit_code == 0, "the agent gives it again", 30)


def test_the_line_that_the_doctor_says_to_paste_makes_the_entry(spire):
    [_, command, rest] = asked(spire).advice
    words = (command.rstrip("\\ ") + rest).replace("<the node's id>", spire.id("node")).split()
    assert words[0] == "spire-server"
    spire.run(*words[1:])
    spire.gives(ORDERS)
    assert asked(spire).exit_code == 0
