"""A call that a person approves on the page: who may, what they see, and everything that is no yes."""

import re
import time

import httpx2
import pytest
from house import House
from test_enforcement_gate_approvals import Caller, denied, ran, types, written

from launchworthy.testing.issuer import ABSENT
from launchworthy.testing.visitor import APPROVER, Visitor

URL = {"io.modelcontextprotocol/clientCapabilities": {"elicitation": {"url": {}}}}
OPENED = {"approval": {"action": "accept"}}
OLD = '"shop:wipe"]\napproval = "none"\napproval_reason = "a test that nobody approves"\n'
BY_CALLER = '"shop:wipe"]\napproval = "url"\n'
BY_APPROVERS = (
    '"shop:wipe"]\napproval = { mode = "url", by = "approvers", claim = "groups:leads", '
    'max_age = "1m", acr = ["strong", "stronger"] }\n'
)
TITLE = "Shop &amp; &lt;Sons&gt;"


@pytest.fixture(scope="module")
def callers_page(tmp_path_factory):
    with House(tmp_path_factory.mktemp("caller"), edit=(OLD, BY_CALLER)) as house:
        yield house


@pytest.fixture(scope="module")
def approvers_page(tmp_path_factory):
    with House(tmp_path_factory.mktemp("approvers"), edit=(OLD, BY_APPROVERS)) as house:
        house.issuer.say_of(APPROVER, {"groups": ["everybody", "leads"]})
        house.issuer.say_of("somebody", {"groups": ["everybody"]})
        house.issuer.say_of("alice", {"groups": ["leads"]})
        yield house


@pytest.fixture
def house(callers_page):
    yield from fresh(callers_page)


@pytest.fixture
def strict(approvers_page):
    yield from fresh(approvers_page)


def fresh(standing):
    standing.shop.given.clear()
    standing.begun = len(standing.records())
    keys = standing.keys.newest
    yield standing
    standing.keys.newest, standing.clock = keys, time.time
    standing.denied.clear()
    standing.issuer.lie_about_sign_ins({})
    standing.issuer.faults.metadata = {}


class Person(Caller):
    """A caller who is a person, and whose client opens addresses."""

    def __init__(self, house, subject="alice", *, person=True, **more):
        super().__init__(house, subject)
        claims = {"name": subject} if person else {}
        grant = house.issuer.grant(scopes=("shop:wipe",), subject=subject, claims=claims, **more)
        self.token = house.issuer.mint(grant)

    def send(self, **how):
        return super().send(**{"meta": URL, **how})

    def answer(self, asked, responses=OPENED, **how):
        return super().answer(asked, responses, **how)


@pytest.fixture
def visitor():
    with Visitor(tls=None) as visitor:
        yield visitor


def url_of(asked):
    [question] = asked["inputRequests"].values()
    assert question["method"] == "elicitation/create"
    params = question["params"]
    assert (params["mode"], set(params)) == ("url", {"mode", "message", "url"})
    return params["url"]


def still_asked(response):
    return response.json()["result"]["resultType"] == "input_required"


def test_a_callers_yes_on_the_page_runs_exactly_that_call(house, visitor):
    alice = Person(house)
    asked = alice.ask()
    url = url_of(asked)
    origin = house.resource.removesuffix("/mcp")
    assert re.fullmatch(re.escape(origin) + "/approval/[0-9a-f]{32}", url)
    assert url.rpartition("/")[2] not in house.audit_text()
    assert still_asked(alice.answer(asked))
    seen = visitor.sign_in(url, "alice")
    assert ran(house) == []
    assert seen.status_code == 200
    for part in (TITLE, "wipe", "destructive", "order_id", "<code>7</code>", "alice", "Approve this call"):
        assert part in seen.text
    done = visitor.decide(url, yes=True)
    assert (done.status_code, "Approved" in done.text) == (200, True)
    assert ran(house) == []
    response = alice.answer(asked)
    assert response.json()["result"]["structuredContent"] == {"result": "wiped"}
    assert ran(house) == [7]
    assert types(house) == [
        "tool.input_required",
        "approval.requested",
        "tool.input_required",
        "approval.answered",
        "approval.granted",
        "tool.attempt",
        "tool.outcome",
    ]
    first, requested, again, answered, granted, *_ = written(house)
    names = {each["approval"] for each in (first, requested, again, answered, granted)}
    assert len(names) == 1
    assert (answered["approver"], answered["approver_issuer"]) == ("alice", house.issuer.issuer)
    assert (granted["approver"], granted["approval_method"], granted["by"]) == ("alice", "url", "caller")
    assert answered["detail"] == "approved"
    assert alice.answer(asked).status_code == 429
    assert ran(house) == [7]
    assert "Answered already" in visitor.open(url).text


def test_a_no_on_the_page_ends_the_call(house, visitor):
    alice = Person(house)
    asked = alice.ask()
    visitor.answer(url_of(asked), yes=False, caller="alice")
    assert denied(alice.answer(asked))
    assert alice.answer(asked).status_code == 429
    assert visitor.decide(url_of(asked), yes=True).status_code == 410
    assert ran(house) == []
    assert [each for each in types(house) if each.startswith("approval.")] == [
        "approval.requested",
        "approval.answered",
        "approval.declined",
        "approval.replayed",
    ]


def test_opening_the_page_or_signing_in_decides_nothing(house, visitor):
    alice = Person(house)
    asked = alice.ask()
    url = url_of(asked)
    for _ in range(3):
        page = visitor.open(url)
        assert page.status_code == 200
        assert "order_id" not in page.text
        assert not page.headers.get_list("set-cookie")
    visitor.sign_in(url, "alice")
    visitor.open(f"{url}?answer=approve")
    assert still_asked(alice.answer(asked))
    assert ran(house) == []


def test_nobody_but_the_caller_answers_where_the_caller_is_asked(house, visitor):
    alice = Person(house)
    asked = alice.ask()
    url = url_of(asked)
    seen = visitor.sign_in(url, "mallory")
    assert (seen.status_code, "not yours to answer" in seen.text) == (403, True)
    assert "order_id" not in seen.text
    assert visitor.decide(url, yes=True).status_code == 403
    assert still_asked(alice.answer(asked))
    [turned] = [each for each in written(house) if each["type"] == "approval.turned_away"]
    assert (turned["approver"], turned["subject"]) == ("mallory", "alice")
    visitor.answer(url, yes=True, caller="alice")
    assert alice.answer(asked).status_code == 200
    assert ran(house) == [7]


def test_an_approver_answers_and_never_the_caller_nor_who_acts_for_them(strict):
    machine = Person(strict, "robot", person=False)
    alice = Person(strict, "alice", act={"sub": APPROVER})
    for caller, may_not in ((machine, ("robot", "somebody")), (alice, ("alice", APPROVER, "somebody"))):
        asked = caller.ask()
        url = url_of(asked)
        for person in may_not:
            with Visitor(tls=None) as visitor:
                assert visitor.sign_in(url, person).status_code == 403, person
                assert visitor.decide(url, yes=True).status_code == 403
        assert still_asked(caller.answer(asked))
    assert ran(strict) == []
    with Visitor(tls=None) as visitor:
        asked = machine.ask()
        visitor.answer(url_of(asked), yes=True, caller="nobody")
        assert machine.answer(asked).status_code == 200
    assert ran(strict) == [7]
    [granted] = [each for each in written(strict) if each["type"] == "approval.granted"]
    assert (granted["approver"], granted["subject"], granted["by"]) == (APPROVER, "robot", "approvers")


def test_where_nobody_can_be_asked_there_is_no_question(house):
    for caller in (Person(house, "robot", person=False),):
        assert denied(caller.send())
    assert types(house) == ["tool.denied"]
    assert "nobody can be asked" in written(house)[0]["detail"]


@pytest.mark.parametrize("able", [None, {}, {"elicitation": {}}, {"elicitation": {"form": {}}}])
def test_a_client_that_opens_no_address_is_told_what_it_would_need(house, able):
    meta = None if able is None else {"io.modelcontextprotocol/clientCapabilities": able}
    response = Person(house).send(meta=meta)
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (400, -32021)
    assert error["data"]["requiredCapabilities"] == {"elicitation": {"url": {}}}


@pytest.mark.parametrize(
    "lie",
    [
        {"nonce": "another"}, {"nonce": ABSENT}, {"aud": "another-client"}, {"aud": ["shop-approvals", "x"]},
        {"iss": "https://evil.example"}, {"azp": "another"}, {"auth_time": ABSENT}, {"auth_time": True},
        {"exp": 1000}, {"sub": ABSENT}, {"sub": "alice\n"}, {"iat": 99_999_999_999},
    ],
)  # fmt: skip
def test_an_id_token_that_is_not_of_this_sign_in_signs_nobody_in(house, visitor, lie):
    alice = Person(house)
    asked = alice.ask()
    url = url_of(asked)
    house.issuer.lie_about_sign_ins(lie)
    seen = visitor.sign_in(url, "alice")
    assert (seen.status_code, "You are not signed in" in seen.text) == (403, True)
    assert visitor.decide(url, yes=True).status_code == 403
    assert still_asked(alice.answer(asked))
    house.issuer.lie_about_sign_ins({})
    assert visitor.sign_in(url, "alice").status_code == 200


def test_a_sign_in_of_before_the_question_does_not_count(house, visitor):
    asked = Person(house).ask()
    house.issuer.lie_about_sign_ins({"auth_time": int(time.time()) - 60})
    assert visitor.sign_in(url_of(asked), "alice").status_code == 403
    address = httpx2.URL(visitor.begin(url_of(asked)))
    assert 1 <= int(address.params["max_age"]) <= 120
    [turned] = [each for each in written(house) if each["type"] == "approval.turned_away"]
    assert "must do it anew" in turned["detail"]


def test_the_authentication_context_is_one_of_those_that_the_manifest_names(strict, visitor):
    asked = Person(strict, "robot", person=False).ask()
    url = url_of(asked)
    assert httpx2.URL(visitor.begin(url)).params["acr_values"] == "strong stronger"
    strict.issuer.lie_about_sign_ins({"acr": "weak"})
    assert visitor.sign_in(url, APPROVER).status_code == 403
    strict.issuer.lie_about_sign_ins({"acr": "stronger"})
    assert visitor.sign_in(url, APPROVER).status_code == 200


def test_the_way_back_counts_in_the_browser_that_left_and_once(house, visitor):
    asked = Person(house).ask()
    url = url_of(asked)
    back = visitor.authenticate(visitor.begin(url), "alice")
    with Visitor(tls=None) as other:
        assert other.come_back(back).status_code == 400
    cookies = dict(visitor.cookies)
    assert visitor.come_back(back).status_code == 200
    visitor.cookies.update(cookies)
    used = visitor.come_back(back)
    assert (used.status_code, "You are not signed in" in used.text) == (403, True)
    [turned] = [each for each in written(house) if each["type"] == "approval.turned_away"]
    assert turned["detail"] == "this sign-in was used before"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda params: params.remove("iss"), 403),
        (lambda params: params.set("iss", "https://evil.example"), 403),
        (lambda params: params.set("state", "0" * 32), 400),
        (lambda params: params.remove("state"), 400),
        (lambda params: params.set("code", "x"), 403),
        (lambda params: params.remove("code"), 403),
        (lambda params: params.set("error", "access_denied"), 403),
        (lambda params: params.add("iss", "https://evil.example"), 400),
        (lambda params: params, 200),
    ],
)
def test_the_answer_of_the_issuer_is_whole_and_its_own(house, visitor, change, status):
    url = url_of(Person(house).ask())
    back = httpx2.URL(visitor.authenticate(visitor.begin(url), "alice"))
    assert visitor.come_back(str(back.copy_with(params=change(back.params)))).status_code == status


def test_a_person_who_says_no_at_the_issuer_has_not_signed_in(house, visitor):
    url = url_of(Person(house).ask())
    left = httpx2.URL(visitor.begin(url))
    back = (
        left.params["redirect_uri"]
        + f"?error=access_denied&state={left.params['state']}&iss={house.issuer.issuer}"
    )
    assert visitor.come_back(back).status_code == 403


def test_an_issuer_with_another_name_for_each_client_signs_nobody_in(tmp_path, visitor):
    with House(tmp_path, edit=(OLD, BY_CALLER)) as other:
        other.issuer.faults.metadata = {"subject_types_supported": ["pairwise"]}
        url = url_of(Person(other).ask())
        seen = visitor.open(f"{url}/sign-in")
        assert (seen.status_code, "Nobody can sign in now" in seen.text) == (503, True)


def form_of(page):
    return dict(re.findall(r'<input type="hidden" name="([a-z]+)" value="([^"]*)"', page.text))


def test_only_our_own_form_decides(house, visitor):
    alice = Person(house)
    asked = alice.ask()
    url = url_of(asked)
    good = form_of(visitor.sign_in(url, "alice"))
    same = {"sec-fetch-site": "same-origin"}
    post = visitor._http.post
    for form in (
        {"answer": "approve"},
        {"answer": "approve", "token": "0" * 32},
        {**good, "answer": "yes"},
        {**good, "answer": "approve", "more": "1"},
        dict(good),
    ):
        assert visitor.post(url, form).status_code == 403, form
    yes = {**good, "answer": "approve"}
    for headers in (
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
    ):
        assert post(url, data=yes, headers=headers).status_code == 403, headers
    assert post(url, data=yes, headers={**same, "origin": "https://evil.example"}).status_code == 403
    assert post(url, json=yes, headers=same).status_code == 415
    assert post(url, data={**yes, "token": "x" * 5000}, headers=same).status_code == 413
    assert visitor._http.get(url, params=yes).status_code == 200
    assert visitor._http.put(url, data=yes).status_code == 405
    assert still_asked(alice.answer(asked))
    assert visitor.post(url, yes).status_code == 200
    assert alice.answer(asked).status_code == 200


def test_a_visit_is_of_one_question_and_its_cookie_cannot_be_changed_or_moved(house, visitor):
    alice = Person(house)
    first, second = alice.ask(), alice.ask(arguments={"order_id": 8})
    one, two = url_of(first), url_of(second)
    visitor.sign_in(one, "alice")
    [(name, value)] = [(name, value) for name, value in visitor.cookies.items() if "visit" in name]
    assert "sign in" in visitor.open(two).text.lower()
    with Visitor(tls=None) as other:
        other.sign_in(two, "alice")
        [of_two] = [name for name in dict(other.cookies) if "visit" in name]
        token = form_of(other.open(two))
        other.cookies.clear()
        place = len(value) // 2
        for said in (
            value,
            value[:place] + ("A" if value[place] != "A" else "B") + value[place + 1 :],
            "",
            "x",
        ):
            other.cookies.set(of_two, said, domain="127.0.0.1")
            assert "Sign in" in other.open(two).text
            assert other.post(two, {**token, "answer": "approve"}).status_code == 403
            other.cookies.clear()
    assert still_asked(alice.answer(second, arguments={"order_id": 8}))
    assert visitor.decide(one, yes=True).status_code == 200
    assert name.startswith("approval-visit-")


def test_what_was_approved_is_that_call_and_no_other(house, visitor):
    alice, bob = Person(house), Person(house, "bob")
    asked = alice.ask()
    visitor.answer(url_of(asked), yes=True, caller="alice")
    assert denied(alice.answer(asked, arguments={"order_id": 8}))
    assert denied(bob.answer(asked))
    other = alice.ask()
    assert still_asked(alice.answer(other))
    assert ran(house) == []
    assert alice.answer(asked).status_code == 200
    assert ran(house) == [7]


def test_what_nobody_answers_in_time_is_over(house, visitor):
    alice = Person(house)
    asked = alice.ask()
    url = url_of(asked)
    visitor.sign_in(url, "alice")
    house.clock = lambda: time.time() + 119
    assert visitor.open(url).status_code == 200
    house.clock = lambda: time.time() + 121
    assert (visitor.open(url).status_code, "Too late" in visitor.open(url).text) == (410, True)
    assert visitor.post(url, {"answer": "approve", "token": "x"}).status_code == 410
    assert denied(alice.answer(asked))
    assert ran(house) == []


def test_a_sign_in_that_is_older_than_the_manifest_allows_is_asked_for_again(strict, visitor):
    asked = Person(strict, "robot", person=False).ask()
    url = url_of(asked)
    form = form_of(visitor.sign_in(url, APPROVER))
    strict.clock = lambda: time.time() + 61
    assert "Sign in" in visitor.open(url).text
    assert visitor.post(url, {**form, "answer": "approve"}).status_code == 403


def test_who_is_denied_answers_nothing_and_their_yes_counts_no_more(strict):
    robot = Person(strict, "robot", person=False)
    asked, later = robot.ask(), robot.ask()
    with Visitor(tls=None) as visitor:
        visitor.answer(url_of(asked), yes=True, caller="nobody")
        visitor.sign_in(url_of(later), APPROVER)
        strict.denied.add(APPROVER)
        assert robot.answer(asked).status_code == 401
        assert visitor.decide(url_of(later), yes=True).status_code == 403
        assert visitor.sign_in(url_of(later), APPROVER).status_code == 403
    assert ran(strict) == []
    strict.denied.clear()
    assert robot.answer(asked).status_code == 200


def test_a_client_that_turns_the_question_down_closes_its_page(house, visitor):
    alice = Person(house)
    asked = alice.ask()
    url = url_of(asked)
    visitor.sign_in(url, "alice")
    assert denied(alice.answer(asked, {"approval": {"action": "decline"}}))
    assert visitor.decide(url, yes=True).status_code == 410
    assert denied(alice.answer(asked))
    assert "approval.declined" in types(house)


def test_a_word_of_the_client_is_no_answer_to_a_page(house):
    alice = Person(house)
    asked = alice.ask()
    yes = {"approval": {"action": "accept", "content": {"approve": True}}}
    assert still_asked(alice.answer(asked, yes))
    assert denied(alice.answer(asked, {"approval": {"action": "approve"}}))
    assert denied(alice.answer(asked, {}))
    assert ran(house) == []


def test_a_question_that_waits_is_another_servers_under_another_key(house, visitor):
    alice = Person(house)
    asked = alice.ask()
    url = url_of(asked)
    house.keys.newest = type(house.keys.newest)(kid="00000001", material=b"x" * 32)
    assert visitor.open(url).status_code == 404
    assert visitor.open(url.rpartition("/")[0] + "/" + "0" * 32).status_code == 404


HARDENED = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "content-type": "text/html; charset=utf-8",
}


def test_every_page_is_hardened_and_none_has_a_script(house, visitor):
    url = url_of(Person(house).ask())
    pages = [visitor.open(url), visitor.open(f"{url}/sign-in"), visitor.sign_in(url, "alice")]
    pages += [visitor.decide(url, yes=True), visitor.open(url), visitor.open(url[:-1] + "g")]
    for page in pages[:-1]:
        for name, value in HARDENED.items():
            assert page.headers[name] == value
        policy = page.headers["content-security-policy"]
        for part in ("default-src 'none'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"):
            assert part in policy
        assert "unsafe" not in policy
        assert "<script" not in page.text
        assert "launchworthy-call" in page.headers
        assert "access-control-allow-origin" not in page.headers
    assert pages[-1].status_code == 404


def test_cookies_are_out_of_reach(house, visitor):
    url = url_of(Person(house).ask())
    for cookie in visitor.open(f"{url}/sign-in").headers.get_list("set-cookie"):
        assert cookie.endswith("; HttpOnly; SameSite=Lax")
        assert "; Path=/; Max-Age=120" in cookie
        assert "Domain" not in cookie
