"""A function that somebody makes in a schema on the worker's path does not run with the worker's rights."""

from tests.integration.conftest import MakeRole
from tests.support.database import Database, count, sign_up
from tests.support.workload import report_order
from worker import pipeline
from worker.pipeline import Path
from worker.store.connection import Connection

NAMESAKES = """
    set role mallory;
    create function public.format(template text, a integer, b text) returns text language plpgsql as
    $$ begin raise warning 'format'; return pg_catalog.format(template, a, b); end $$;
    create function public.grow(so_far text[], next text) returns text[] language plpgsql as
    $$ begin raise warning 'array_agg'; return so_far || next; end $$;
    create aggregate public.array_agg(text) (sfunc = public.grow, stype = text[]);
    create function public.jsonb_build_object(a text, b integer, c text, d text, e text, f numeric) returns jsonb
    language plpgsql as $$ begin raise warning 'jsonb_build_object'; return '{}'; end $$;
    create function public.get(a jsonb, b jsonb) returns text language plpgsql as
    $$ begin raise warning 'get'; return null; end $$;
    create operator public.->> (leftarg = jsonb, rightarg = jsonb, function = public.get);
    create function public.times(a numeric, b integer) returns numeric language plpgsql as
    $$ begin raise warning 'times'; return a; end $$;
    create operator public.* (leftarg = numeric, rightarg = integer, function = public.times);
    create function public.same(a regclass, b regclass) returns boolean language plpgsql as
    $$ begin raise warning 'same'; return false; end $$;
    create operator public.= (leftarg = regclass, rightarg = regclass, function = public.same);
    create function public.hashtextextended(a text, b integer) returns bigint language plpgsql as
    $$ begin raise warning 'hash'; return 1; end $$;
    create function public.pg_sequence_last_value(a text) returns bigint language plpgsql as
    $$ begin raise warning 'last'; return 1; end $$;
    create function public.make_interval(secs double precision) returns interval language plpgsql as
    $$ begin raise warning 'interval'; return '1 s'; end $$;
"""


async def test_worker_calls_the_catalogs_functions(
    connection: Connection, database: Database, path: Path, make_role: MakeRole
) -> None:
    """Where everybody may create in the schema public, as before Postgres 15, nobody runs code as the worker."""
    await make_role("mallory")
    await connection.execute("grant create on schema public to mallory")
    await (await database.connect()).execute(NAMESAKES)
    heard: list[str] = []
    path.connection.add_log_listener(lambda _, message: heard.append(message.message or ""))
    await report_order(connection, await sign_up(connection))
    await report_order(connection, await sign_up(connection, "b@x", "x" * 121))

    for _ in range(3):
        await pipeline.turn(path)

    await path.connection.execute("select")
    assert heard == []
    assert await count(connection, "public.orders") == 1
