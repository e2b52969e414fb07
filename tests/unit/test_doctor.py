"""The doctor's judgements and its words, without a database."""

import pytest

from worker.commands.doctor import as_json
from worker.commands.doctor_view import WIDTH, lines
from worker.core.doctor.keys import Guard, Key, judge_guards, judge_keys
from worker.core.doctor.rights import Writer, judge_writers
from worker.core.doctor.server import Server, Way, judge_server, judge_way
from worker.core.doctor.triggers import swallows_errors
from worker.core.doctor.users import MOST_COUNTED, Absences, Trial, judge_absences, judge_trials
from worker.core.doctor.wording import Source, attach_call
from worker.core.doctor.work import Backlog, judge_backlog, judge_worker
from worker.core.failure import Failure
from worker.core.finding import Finding, Report, found, make_report
from worker.core.last_seen import LastSeen

SOURCE = Source(
    1, "auth.users", "id", "public.profiles", "user_id", {"name": "'x'"}, None, "true", "users.deleted_at is not null", "uuid"
)
PRIMARY = Server(
    major=18,
    version="18.1",
    is_standby=False,
    database="app",
    role="worker",
    is_superuser=False,
    schema_exists=True,
    schema_is_readable=True,
    identity="x",
)
KEY = Key(
    table="public.orders",
    name="orders_fk",
    quoted_name="orders_fk",
    columns="user_id",
    meaning="1 2 1=1",
    is_valid=True,
    is_partitioned=False,
    has_index=True,
    is_guarded=True,
)


def changed(record: object, **fields: object) -> dict[str, object]:
    """Return the fields of a record with some of them changed."""
    return {name: getattr(record, name) for name in record.__slots__} | fields  # type: ignore[attr-defined]


@pytest.mark.parametrize(("server", "check"), [({"is_standby": True}, "server_is_standby"), ({"major": 19}, "server_untested")])
def test_server_that_will_not_do_is_found(server: dict[str, object], check: str) -> None:
    """A standby writes nothing, and a major that nobody has tried is said."""
    assert judge_server(PRIMARY) == []
    assert [it.check for it in judge_server(Server(**changed(PRIMARY, **server)))] == [check]  # type: ignore[arg-type]


def test_way_is_judged_by_what_was_tried() -> None:
    """What could not be tried is not wrong, and of two reasons for deafness the deeper one is said."""
    assert judge_way(Way("none", hears=None, prepared_statements_last=None)) == []
    assert [it.check for it in judge_way(Way(hears=False))] == ["listen_deaf"]
    assert [it.check for it in judge_way(Way(hears=False, listens_elsewhere=True))] == ["listen_url_elsewhere"]
    assert [it.check for it in judge_way(Way(listens_elsewhere=True, listen_error="no"))] == ["listen_url_unreachable"]


@pytest.mark.parametrize(
    "handler",
    [
        "when others then null; end;",
        "when others then return new; end",
        "when others then raise warning 'oh: %', sqlerrm; return new; end;",
        "when unique_violation or others then insert into log values ('raise'); end;",
        "when others then -- we should raise\n return new; end;",
        "when foreign_key_violation then raise; when others then return new; end;",
        "WHEN OTHERS THEN if true then perform 1; end if; RETURN new; END;",
    ],
)
def test_handler_that_raises_nothing_swallows(handler: str) -> None:
    """Warnings, comments and literals are no raise, and another handler's raise is not this one's."""
    assert swallows_errors(f"begin insert into profiles values (1); return new; exception {handler}")


@pytest.mark.parametrize(
    "body",
    [
        "begin return new; end;",
        "begin return new; exception when unique_violation then return new; end;",
        "begin return new; exception when others then raise; end;",
        "begin return new; exception when others then insert into log values (1); raise exception 'no'; end;",
        "begin return new; exception when others then if found then perform 1; end if; raise; end;",
        "begin return new; exception when others then raise sqlstate 'PM000'; end;",
        "begin -- exception when others then null; end;\n return new; end;",
    ],
)
def test_body_that_lets_errors_out_is_passed_over(body: str) -> None:
    """No handler for others, or one that raises."""
    assert not swallows_errors(body)


def test_of_two_equal_keys_the_guarded_one_stays() -> None:
    """The mend drops the other, whatever their names."""
    twin = Key(**changed(KEY, name="a", quoted_name='"A"', is_guarded=False))  # type: ignore[arg-type]
    twice = [it for it in judge_keys([twin, KEY]) if it.check == "key_twice"]

    assert [it.mend for it in twice] == ['alter table public.orders drop constraint "A";']


def test_guard_is_put_back_with_all_its_settings() -> None:
    """To guard again replaces the settings, so the mend says all of them."""
    guard = Guard("public.t", "it's", "ensure", "public.f", "AGAIN", None, key_exists=True, trigger_enabled=None)
    (finding,) = judge_guards([guard])

    assert finding.mend == (
        "select pgmend.guard('public.t', 'it''s', mode => 'ensure', replay_function => 'public.f(jsonb)', "
        "replayed_error_type => 'AGAIN', unknown_user_grace => null);"
    )


def test_source_is_attached_again_with_all_its_settings() -> None:
    """Settings that are the default are left out, and a recipe function stands in the recipe's place."""
    assert attach_call(SOURCE, username="users.email") == (
        "select pgmend.attach_source('auth.users', 'public.profiles', "
        """recipe => '{"name": "''x''", "username": "users.email"}', """
        "profiles_key => 'user_id', erased_when => 'users.deleted_at is not null');"
    )
    by_function = Source(**changed(SOURCE, recipe={}, recipe_function="public.make"))  # type: ignore[arg-type]
    assert "recipe_function => 'public.make(uuid)'" in attach_call(by_function)


def test_names_of_writers_are_unquoted_where_they_are_text() -> None:
    """The role is an identifier in one place and a value in the other."""
    (finding,) = judge_writers([Writer('"O""Neil"', exists=False, waiting=2, is_replayable=False)])

    assert 'create role "O""Neil" nologin' in finding.mend
    assert "writer_role = 'O\"Neil'" in finding.mend
    assert finding.what == "2 captured rows of it, and the role is gone"


def test_count_that_was_cut_off_says_so() -> None:
    """Ten thousand is where counting ends, not how many there are."""
    (finding,) = judge_absences(Absences(SOURCE, MOST_COUNTED))

    assert finding.what == "10,000 users or more"
    assert judge_absences(Absences(SOURCE, 0)) == []


def test_same_refusal_is_said_once_for_each_kind() -> None:
    """Three users of a kind with one reason are one finding; a reason that passes is only a note."""
    taken, locked = Failure("23505", "taken", "profiles_username_key"), Failure("55P03", "locked")
    trials = [Trial("an ordinary user", failure=taken)] * 3 + [Trial("an anonymous user", failure=locked)]

    assert [(it.check, it.severity) for it in judge_trials(SOURCE, trials)] == [
        ("recipe_refused", "error"),
        ("recipe_not_tried", "note"),
    ]
    assert judge_trials(SOURCE, [Trial("an ordinary user", outcome="healed"), Trial("x", outcome="already_whole")]) == []


def test_limits_are_limits() -> None:
    """At the limit all is well."""
    assert judge_worker(LastSeen(15.0, is_alive=True)) == []
    assert judge_worker(LastSeen(15.0)) != []
    assert judge_backlog(Backlog(1, 60.0)) == []
    assert judge_backlog(Backlog(1, 60.1)) != []


def report() -> Report:
    """Return a report with findings of each severity, given in the wrong order."""
    return make_report(
        {"server": "Postgres 18.1", "sources": "source, " * 40},
        [
            found("not_seen", "the keys", what="SQLSTATE 42501"),
            found("key_not_guarded", "public.a fk", what="its insert path is not captured", mend="select 1;"),
            found("sign_up_trigger_missing", "public.users", what="word " * 60, mend="select " + "2" * 200 + ";"),
            found("key_not_guarded", "public.b fk", what="its insert path is not captured", mend="select 3;\nselect 4;"),
        ],
    )


def test_report_begins_with_the_worst() -> None:
    """Errors, warnings, notes; and a report of notes alone is clean."""
    assert [it.severity for it in report().findings] == ["error", "warning", "warning", "note"]
    assert not report().is_clean
    assert make_report({}, [found("not_seen", "x", what="y")]).is_clean


def test_text_keeps_to_its_width_and_leaves_what_is_pasted_whole() -> None:
    """Each check is explained once, each finding has its own line, and the last line counts."""
    text = list(lines(report()))
    pasted = [line.strip() for line in text if line.startswith(" " * 11) and line.strip().startswith("select")]

    assert all(len(line) <= WIDTH or "2222" in line for line in text)
    assert pasted == ["select " + "2" * 200 + ";", "select 1;", "select 3;", "select 4;"]
    assert sum("key_not_guarded" in line for line in text) == 1
    assert text[-1] == "1 error, 2 warnings, 1 note"


def test_json_carries_every_field_of_a_finding() -> None:
    """One object, for a program."""
    answer = as_json(report())

    assert answer["counts"] == {"error": 1, "warning": 2, "note": 1}
    assert isinstance(answer["findings"], list)
    assert answer["findings"][0].keys() == set(Finding.__slots__)
