"""The sample application of ``sql/demo``, and users to fill it with."""

from dataclasses import dataclass
from pathlib import Path

from worker.store import migrations
from worker.store.connection import Connection

DEMO = Path(__file__).parents[1] / "sql" / "demo"

SIGN_UPS = """
insert into public.users (email, full_name, profile_picture_url)
select
    'user' || number || '@example.org',
    case
        when $2 > 0 and number % 100 = 50 then repeat('x', $2)
        when number % 3 > 0 then 'User ' || number
    end,
    case when number % 2 = 0 then 'https://cdn.example.org/' || number || '.png' end
from generate_series(1, $1::integer) as number
"""

CROWD = 10_000
"""Users from before, with profiles, so that plans made at the start of a round are those of a database in use."""

CROWD_STATEMENTS = f"""
alter table public.users disable trigger user;
insert into public.users (email, full_name) select 'early' || number || '@example.org', 'Early ' || number
from generate_series(1, {CROWD}) as number;
insert into public.profiles (id, name) select id, full_name from public.users;
alter table public.users enable trigger user;
"""

REFUSING_TRIGGER = """
create function public.refuse_profile() returns trigger language plpgsql as
$$ begin if char_length(new.name) = 110 then raise exception 'refused'; end if; return new; end $$;
create trigger profiles_refuse before insert on public.profiles for each row execute function public.refuse_profile();
"""

REFUSED_BY_CHECK = 200
"""A name of so many characters violates profiles_name_is_short."""

REFUSED_BY_TRIGGER = 110
"""A name of so many characters is refused by the trigger above, where it is installed."""


@dataclass(frozen=True, slots=True)
class Filling:
    """What a database holds beyond the application.

    Statements that change it, then users who have signed up unnoticed; one in a hundred of them has a name of ``poison_length``
    characters, unless that is 0.
    """

    users: int = 0
    poison_length: int = 0
    statements: str = ""


async def install(connection: Connection) -> None:
    """Migrate, and install the sample application, attached."""
    await migrations.apply(connection, error_logs_table="public.error_logs")
    for path in sorted(DEMO.glob("*.sql")):
        await connection.execute(path.read_text(encoding="utf-8"))


async def fill(connection: Connection, filling: Filling) -> None:
    """Sign users up, after a vacuum: the burst finds an outbox known as empty, and no statistics know of the burst."""
    await connection.execute(CROWD_STATEMENTS)
    if filling.statements:
        await connection.execute(filling.statements)
    await connection.execute("vacuum analyze")
    if filling.users:
        await connection.execute(SIGN_UPS, filling.users, filling.poison_length)
