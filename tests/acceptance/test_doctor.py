"""``pgmend doctor`` as a command: what it prints, and its exit status."""

import json

from tests.support.database import Database
from tests.support.process import run_command

IN_ORDER = """
    select pgmend.guard('public.conversations', 'conversations_admin_id_fkey');
    create index on public.conversations (admin_id);
    insert into pgmend.workers (worker_id, host, pid, version, listening) values ('w', 'h', 1, '0', true)
"""


async def test_findings_exit_3_and_stand_in_the_text(database: Database) -> None:
    """Severity, check, reason and the SQL to paste, and the counts at the end."""
    status, out, err = await run_command(database.url, "doctor")

    assert (status, err) == (3, "")
    assert "warning  key_not_guarded: a foreign key to the profiles is not guarded" in out
    assert "\n           select pgmend.guard('public.conversations', 'conversations_admin_id_fkey');\n" in out
    assert out.splitlines()[-1] == "0 errors, 4 warnings, 2 notes"


async def test_nothing_wrong_exits_0(database: Database) -> None:
    """Notes alone are not wrong; the worker connects as a login of its own."""
    connection = await database.connect()
    await connection.execute(f"{IN_ORDER}; create role in_order login in role pgmend_worker")
    status, out, err = await run_command(database.cluster.url(database.name, "in_order"), "doctor", "--json")
    await connection.execute("drop role in_order")

    assert (status, err) == (0, "")
    assert {finding["severity"] for finding in json.loads(out)["findings"]} == {"note"}


async def test_json_is_one_object_and_the_trial_can_be_left_out(database: Database) -> None:
    """Facts, findings and counts, for a pipeline."""
    status, out, _ = await run_command(database.url, "doctor", "--json", "--no-trial")
    answer = json.loads(out)

    assert status == 3
    assert answer.keys() == {"facts", "findings", "counts"}
    assert "--no-trial" in {finding["what"] for finding in answer["findings"]}


async def test_wrong_address_is_refused_as_ever(database: Database) -> None:
    """No report without an answer: exit 11, one line."""
    url = database.url.replace(f"/{database.name}", "/no_such_database")
    status, out, err = await run_command(url, "doctor")

    assert (status, out, err.count("\n")) == (11, "", 1)
