"""Row-level security that comes after pgmend: users whom it hides are not there to be seen, and are not erased."""

import pytest

from tests.support.applications import Supabase, migrate
from tests.support.database import count
from worker import pipeline
from worker.core.retention import Keeping, Pruned
from worker.log import Log
from worker.pipeline import Path
from worker.pruning import Pruning
from worker.store.connection import Connection

KEY = "11111111-1111-1111-1111-111111111111"
ATTACH = f"""
    set role shop_installer;
    select pgmend.attach_source(
        'auth.users', 'public.profiles', '{{"email": "users.email"}}', erased_when => 'deleted_at is not null'
    );
    select pgmend.guard('public.posts', 'posts_author_id_fkey');
    reset role;
    insert into auth.users (id, email) values ('{KEY}', 'ada@example.org');
    truncate pgmend.express_events;
    select pgmend.report_failed_insert('public.posts', '{{"author_id": "{KEY}", "title": "kept"}}')
"""
HIDING = {
    "no policy": "",
    "a policy of the users'": "create policy own on auth.users using (email = current_setting('request.jwt.email', true))",
    "a restriction": "create policy everybody on auth.users using (true); "
    "create policy nobody on auth.users as restrictive using (1 = 0)",
}


@pytest.fixture(params=HIDING)
async def hidden(supabase: Supabase, request: pytest.FixtureRequest) -> Connection:
    """An application whose users were hidden from the installer after a row of one of them was captured."""
    await migrate(supabase.url)
    admin = await supabase.database.connect()
    await admin.execute(ATTACH)
    await admin.execute("alter role shop_installer nobypassrls;" + HIDING[request.param])
    return admin


async def test_captured_row_of_a_hidden_user_is_kept_until_they_are_seen(
    hidden: Connection, log: Log, supabase: Supabase
) -> None:
    """Neither the pruning nor the worker takes the user for erased; once seen again, the row is stored."""
    path = Path(await supabase.database.connect(), log)

    pruned = await Pruning(Keeping()).prune(path.connection)
    await pipeline.turn(path)
    assert (pruned, await count(hidden, "pgmend.outbox where kind = 'insert_failed'")) == (Pruned(), 1)

    await hidden.execute("alter role shop_installer bypassrls; update pgmend.careful_events set available_at = now()")
    await pipeline.turn(path)
    assert await count(hidden, "public.posts where title = 'kept'") == 1
