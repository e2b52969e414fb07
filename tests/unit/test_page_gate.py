"""The page's gate: seals, the throttle, whose Host and Origin are ours."""

import pytest

from worker.web.page.gate import FORM_SECONDS, SESSION_SECONDS, Gate, Session
from worker.web.page.origin import is_https, is_known_host, is_own_origin
from worker.web.page.seal import seal_of
from worker.web.page.throttle import Throttle

NOON = 1_800_000_000.0
WORD = "a token of sixteen"
SEAL = seal_of(WORD)


def gate(token: str = WORD, at: float = NOON) -> Gate:
    """Return a gate whose clock stands still."""
    return Gate(token, lambda: at)


def test_seal_opens_for_its_purpose_until_its_end() -> None:
    """The content comes back, and not a second longer than it was meant to."""
    sealed = SEAL.close("session", "Ada é", until=NOON)

    assert SEAL.open("session", sealed, now=NOON - 1) == "Ada é"
    assert SEAL.open("session", sealed, now=NOON) is None
    assert SEAL.open("form", sealed, now=NOON - 1) is None


@pytest.mark.parametrize("forged", ["", ".", "a.b", "é.é", "====.", "x" * 10_000, "\x00", "MTgwMDAwMDAwMCBBZGE.AAAA"])
def test_forged_seal_does_not_open(forged: str) -> None:
    """Whatever a cookie holds, it is refused without an error."""
    assert SEAL.open("session", forged, now=0) is None


def test_each_changed_sign_breaks_a_seal() -> None:
    """No byte of it is left out of what is signed."""
    sealed = SEAL.close("session", "Ada", until=NOON)
    changed = [sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at + 1 :] for at in range(len(sealed) - 1)]

    assert all(SEAL.open("session", text, now=0) is None for text in changed)


def test_cookie_holds_neither_the_token_nor_longer_than_its_time() -> None:
    """It is derived; another token, or eight hours, end it."""
    cookie = gate().cookie("Ada")

    assert "sixteen" not in cookie
    assert gate(at=NOON + SESSION_SECONDS - 1).session(cookie) is not None
    assert gate(at=NOON + SESSION_SECONDS).session(cookie) is None
    assert gate("another token, as long").session(cookie) is None


def test_form_is_good_once_for_its_action_and_its_session() -> None:
    """Sent again, for something else, by somebody else or too late, it does nothing."""
    ada, eve, one = Session("1", "Ada"), Session("2", "Eve"), gate()
    form = one.form("/dead-letters/7/discard", ada)

    assert not one.accepts(form, "/dead-letters/8/discard", ada)
    assert not one.accepts(form, "/dead-letters/7/requeue", ada)
    assert not one.accepts(form, "/dead-letters/7/discard", eve)
    assert not gate(at=NOON + FORM_SECONDS).accepts(form, "/dead-letters/7/discard", ada)
    assert one.accepts(form, "/dead-letters/7/discard", ada)
    assert not one.accepts(form, "/dead-letters/7/discard", ada)


def test_wrong_tokens_wait_twice_as_long_each_time() -> None:
    """Three are free; then a second, two, four, up to five minutes."""
    throttle = Throttle()
    waits = []
    for _ in range(14):
        throttle.failed("192.0.2.1", NOON)
        waits.append(throttle.wait("192.0.2.1", NOON))

    assert waits[:6] == [0, 0, 1, 2, 4, 8]
    assert waits[-1] == 300
    assert throttle.wait("192.0.2.1", NOON + 300) == 0
    assert throttle.wait("192.0.2.2", NOON) == 0


def test_throttle_takes_a_network_of_ipv6_for_one_and_forgets() -> None:
    """Whoever has a whole network does not get its addresses' worth of guesses; an hour later it is as new."""
    throttle = Throttle()
    for number in range(5):
        throttle.failed(f"2001:db8::{number}", NOON)

    assert throttle.wait("2001:db8::ffff", NOON) > 0
    assert throttle.wait("2001:db8:0:1::1", NOON) == 0
    assert throttle.wait("2001:db8::1", NOON + 3601) == 0


def test_throttle_remembers_a_bounded_number_of_addresses() -> None:
    """A flood of addresses costs no memory."""
    throttle = Throttle()
    for number in range(5000):
        throttle.failed(f"10.0.{number // 256}.{number % 256}", NOON)

    assert len(throttle._failures) == 1024


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "127.0.0.1:1", "[::1]:80", "10.1.2.3", "mend.example.org:443"])
def test_known_host_is_answered(host: str) -> None:
    """Localhost, any address, and the names that were configured."""
    assert is_known_host(host, {"mend.example.org"})


@pytest.mark.parametrize(
    "host",
    [None, "", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "a@localhost", "localhost/", "[::1", "x:y"],
)
def test_rebound_name_is_not_answered(host: str | None) -> None:
    """A name that an attacker can point at us stays a name that we do not know."""
    assert not is_known_host(host, {"mend.example.org"})


@pytest.mark.parametrize(
    ("headers", "is_own"),
    [
        ({"Host": "localhost:80", "Origin": "http://localhost:80"}, True),
        ({"Host": "mend.example.org", "Origin": "https://mend.example.org"}, True),
        ({"Host": "localhost:80"}, False),
        ({"Host": "localhost:80", "Origin": "null"}, False),
        ({"Host": "localhost:80", "Origin": "http://localhost:81"}, False),
        ({"Host": "localhost:80", "Origin": "http://evil.example"}, False),
        ({"Host": "localhost:80", "Origin": "http://localhost:80", "Sec-Fetch-Site": "cross-site"}, False),
        ({"Host": "localhost:80", "Origin": "http://localhost:80", "Sec-Fetch-Site": "same-site"}, False),
        ({"Host": "", "Origin": "http://"}, False),
    ],
)
def test_form_of_another_site_is_told_by_its_origin(headers: dict[str, str], *, is_own: bool) -> None:
    """Only a page of this very host, by the browser's own word."""
    assert is_own_origin(headers) is is_own


@pytest.mark.parametrize(
    ("headers", "secure"),
    [({"Origin": "https://a"}, True), ({"X-Forwarded-Proto": "https, http"}, True), ({"Origin": "http://a"}, False), ({}, False)],
)
def test_https_is_seen_before_a_proxy(headers: dict[str, str], *, secure: bool) -> None:
    """The cookie is Secure where the browser speaks https, even if we do not."""
    assert is_https(headers) is secure
