"""Signing in: who may act, and how it is kept from everybody else."""

from io import StringIO

import pytest

from tests.support.database import Database, count
from tests.support.letters import dead_order
from tests.support.paged import TOKEN, Visitor
from worker.pipeline import Path
from worker.store.connection import Connection

LETTERS = "pgmend.dead_letters"


async def test_without_a_token_there_is_nothing_that_changes_anything(
    visitor: Visitor, connection: Connection, path: Path
) -> None:
    """No sign-in, no form that is posted, and no route that would take one."""
    event_id = await dead_order(connection, path)
    paths = ["/sign-in", "/sign-out", f"/dead-letters/{event_id}/requeue", f"/dead-letters/{event_id}/discard"]

    statuses = {(await visitor.get(path)).status for path in paths} | {(await visitor.post(path, {})).status for path in paths}
    shown = await visitor.get(f"/dead-letters/{event_id}")

    assert statuses == {404}
    assert 'method="post"' not in shown.text
    assert "/sign-in" not in shown.text


@pytest.mark.parametrize("path", ["/", "/audit", "/dead-letters", "/events/1", "/dead-letters/1"])
async def test_reading_routes_take_no_post(visitor: Visitor, path: str) -> None:
    """They answer GET and HEAD, and nothing else."""
    assert (await visitor.post(path, {})).status == 405


async def test_token_gives_a_cookie_that_scripts_and_other_sites_do_not_get(keeper: Visitor) -> None:
    """HttpOnly, SameSite=Strict, for the whole host, and not the token."""
    answer = await keeper.sign_in()
    cookie = answer.headers["Set-Cookie"]

    assert (answer.status, answer.headers["Location"]) == (303, "/")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie
    assert TOKEN not in cookie
    assert "signed in as <bdi>Ada</bdi>" in (await keeper.get("/")).text


async def test_cookie_is_secure_where_the_browser_speaks_https(keeper: Visitor) -> None:
    """A proxy ends the TLS; the browser says so in the Origin of the form."""
    host = keeper.url.removeprefix("http://")
    form = (await keeper.get("/sign-in")).form("/sign-in")
    answer = await keeper.post("/sign-in", {"form": form, "name": "Ada", "token": TOKEN}, Origin=f"https://{host}")

    assert answer.status == 303
    assert "Secure" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x", TOKEN[:-1], TOKEN.upper(), "é" * 25])
async def test_wrong_token_is_refused_and_gives_no_cookie(keeper: Visitor, token: str) -> None:
    """Close is not enough."""
    answer = await keeper.sign_in(token)

    assert answer.status == 403
    assert "Set-Cookie" not in answer.headers
    assert keeper.cookie is None


async def test_name_is_needed_for_the_audit(keeper: Visitor) -> None:
    """Nobody acts without a name."""
    assert (await keeper.sign_in(name="  ")).status == 403


async def test_guessing_is_slowed_and_the_right_token_waits_too(keeper: Visitor) -> None:
    """After a few wrong tokens not even the right one is looked at, until the time is over."""
    statuses = [(await keeper.sign_in("wrong")).status for _ in range(4)]
    while_waiting = await keeper.sign_in()
    keeper.clock.now += 2

    assert statuses == [403, 403, 403, 429]
    assert while_waiting.status == 429
    assert (await keeper.sign_in()).status == 303


async def test_sign_in_form_is_good_once(keeper: Visitor) -> None:
    """Sent again, it is refused whatever it holds."""
    form = (await keeper.get("/sign-in")).form("/sign-in")
    fields = {"form": form, "name": "Ada", "token": TOKEN}

    assert (await keeper.post("/sign-in", fields)).status == 303
    assert (await keeper.post("/sign-in", fields)).status == 409


async def test_session_ends_with_its_time_and_with_signing_out(keeper: Visitor) -> None:
    """After eight hours, or when told."""
    await keeper.sign_in()
    overview = await keeper.get("/")
    answer = await keeper.post("/sign-out", {"form": overview.form("/sign-out")})
    assert 'pgmend_session=""' in answer.headers["Set-Cookie"]

    await keeper.sign_in()
    keeper.clock.now += 8 * 3600

    assert "signed in as" not in (await keeper.get("/")).text


async def test_cookie_of_who_has_signed_out_is_worth_nothing(keeper: Visitor) -> None:
    """Kept by somebody, it signs nobody in any more; another session of the same person goes on."""
    await keeper.sign_in()
    other, keeper.cookie = keeper.cookie, None
    await keeper.sign_in()
    kept = keeper.cookie
    await keeper.post("/sign-out", {"form": (await keeper.get("/")).form("/sign-out")})
    shown = {}
    for keeper.cookie in (kept, other):
        shown[keeper.cookie] = "signed in as" in (await keeper.get("/")).text

    assert shown == {kept: False, other: True}


async def test_token_is_in_no_log_and_in_no_answer(keeper: Visitor, log_lines: StringIO) -> None:
    """Neither the right one nor a wrong one."""
    await keeper.sign_in("a-wrong-guess")
    await keeper.sign_in()
    await keeper.get("/")

    told = log_lines.getvalue() + "".join(answer.text + str(answer.headers) for answer in keeper.answers)
    assert "page_signed_in" in told
    assert "page_sign_in_refused" in told
    assert TOKEN not in told
    assert "a-wrong-guess" not in told


async def test_requeue_asks_first_then_does_it_and_the_audit_names_the_person(
    keeper: Visitor, connection: Connection, path: Path
) -> None:
    """A GET changes nothing; the form does; role and person stand in the entry."""
    event_id = await dead_order(connection, path)
    await keeper.sign_in(name="Ada <b>")
    asked = await keeper.get(f"/dead-letters/{event_id}/requeue")
    assert await count(connection, f"{LETTERS} where event_id = $1", event_id) == 1

    done = await keeper.post(f"/dead-letters/{event_id}/requeue", {"form": asked.form(f"/dead-letters/{event_id}/requeue")})

    assert (done.status, done.headers["Location"]) == (303, f"/events/{event_id}")
    assert await count(connection, "pgmend.careful_events where event_id = $1", event_id) == 1
    entry = (
        "public.error_logs where error_type = 'DEAD_LETTER_REQUEUED' and event_id = $1 and details ->> 'on_behalf_of' = 'Ada <b>'"
    )
    assert await count(connection, entry, event_id) == 1


async def test_name_holds_nothing_that_is_not_seen(keeper: Visitor) -> None:
    """The audit and the log keep it for whoever reads them anywhere; what would be empty then is no name."""
    empty = await keeper.sign_in(name="\u202e\x1b\r\n")
    await keeper.sign_in(name="\u202eEve\r\nSet-Cookie:\x00 a\x1b[2J \u0414\u0430\u0448\u0430 ")

    assert empty.status == 403
    assert "signed in as <bdi>Eve Set-Cookie: a[2J \u0414\u0430\u0448\u0430</bdi>" in (await keeper.get("/")).text


async def test_discard_lets_the_letter_go_and_the_audit_keeps_who(keeper: Visitor, connection: Connection, path: Path) -> None:
    """The row is gone for good, and the entry says by whom and when."""
    event_id = await dead_order(connection, path)
    await keeper.sign_in()
    action = f"/dead-letters/{event_id}/discard"

    done = await keeper.post(action, {"form": (await keeper.get(action)).form(action)})

    assert done.status == 303
    assert await count(connection, f"{LETTERS} where event_id = $1", event_id) == 0
    entry = (
        "public.error_logs where error_type = 'DEAD_LETTER_DISCARDED' and event_id = $1 and details ->> 'on_behalf_of' = 'Ada'"
    )
    assert await count(connection, entry, event_id) == 1
    assert "DEAD_LETTER_DISCARDED" in (await keeper.get(f"/events/{event_id}")).text


async def test_page_says_what_becomes_of_a_discarded_letter(keeper: Visitor, connection: Connection, path: Path) -> None:
    """A captured row is gone; a sign-up comes back while its user lacks a profile, and what helps stands beside it."""
    row = await dead_order(connection, path)
    sign_up = await connection.fetchval("select event_id from pgmend.dead_letters where kind = 'user_created'")
    await keeper.sign_in()

    of_row, of_sign_up = [(await keeper.get(f"/dead-letters/{it}/discard")).text for it in (row, sign_up)]

    assert "goes for good" in of_row
    assert "goes for good" not in of_sign_up
    assert "the next sweep announces the user again" in of_sign_up
    assert "Left where it lies, it holds nothing up" in of_sign_up


async def test_form_that_was_sent_does_nothing_the_second_time(keeper: Visitor, connection: Connection, path: Path) -> None:
    """Neither again, nor after the letter has come back."""
    event_id = await dead_order(connection, path)
    await keeper.sign_in()
    action = f"/dead-letters/{event_id}/requeue"
    fields = {"form": (await keeper.get(action)).form(action)}
    await keeper.post(action, fields)
    await path.connection.execute("update pgmend.careful_events set available_at = clock_timestamp() - interval '1 second'")

    assert (await keeper.post(action, fields)).status == 409
    assert await count(connection, "public.error_logs where error_type = 'DEAD_LETTER_REQUEUED'") == 1


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": ""}, {"Sec-Fetch-Site": "cross-site"}]
)
async def test_form_from_another_site_does_nothing(
    keeper: Visitor, connection: Connection, path: Path, headers: dict[str, str]
) -> None:
    """Even with the cookie and a form that is ours."""
    event_id = await dead_order(connection, path)
    await keeper.sign_in()
    action = f"/dead-letters/{event_id}/discard"
    form = (await keeper.get(action)).form(action)

    answer = await keeper.post(action, {"form": form}, **headers)

    assert answer.status == 403
    assert await count(connection, f"{LETTERS} where event_id = $1", event_id) == 1


async def test_action_without_a_session_or_without_a_form_does_nothing(
    keeper: Visitor, connection: Connection, path: Path
) -> None:
    """A forged cookie, none at all, or a form for something else."""
    event_id = await dead_order(connection, path)
    action = f"/dead-letters/{event_id}/discard"
    keeper.cookie = "forged"
    assert (await keeper.get(action)).status == 403
    assert (await keeper.post(action, {"form": "x"})).status == 403

    await keeper.sign_in()
    other = (await keeper.get(f"/dead-letters/{event_id}/requeue")).form(f"/dead-letters/{event_id}/requeue")

    assert (await keeper.post(action, {"form": other})).status == 409
    assert (await keeper.post(action, {"form": ""})).status == 409
    assert await count(connection, f"{LETTERS} where event_id = $1", event_id) == 1


async def test_form_of_another_shape_or_size_is_not_read(keeper: Visitor) -> None:
    """It is refused before it is taken in."""
    assert (await keeper.post("/sign-in", {"token": "x" * 65_536})).status == 400
    assert (await keeper.post("/sign-in", {"token": "x"}, **{"Content-Type": "text/plain"})).status == 400


async def test_captured_row_is_shown_to_who_has_signed_in_and_to_nobody_else(
    keeper: Visitor, database: Database, path: Path
) -> None:
    """It may hold personal data; the user's key is shown to all."""
    event_id = await dead_order(await database.connect(), path)
    places = (f"/dead-letters/{event_id}", f"/events/{event_id}")
    before = [(await keeper.get(place)).text for place in places]
    await keeper.sign_in()
    after = [(await keeper.get(place)).text for place in places]

    assert all("4711.42" not in text for text in before)
    assert all("4711.42" in text for text in after)
