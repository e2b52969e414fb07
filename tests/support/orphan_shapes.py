"""Tables of every shape that refer to the sample application's profiles, and rows whose keys lead anywhere or nowhere."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from worker.store.connection import Connection

PEOPLE = ("whole", "healable", "erased", "gone", "unknown")
TABLES = (
    "orders", "leads", "conversations", "chat_messages", "bills", "visits", "clicks", "places", "legacy", "nodes",
    "rings_a", "rings_b", "oddities",
)  # fmt: skip
REFERENCES = (
    "orders.user_id", "leads.user_id", "conversations.customer_id", "conversations.admin_id", "chat_messages.sender_id",
    "visits.user_id", "clicks.user_id", "places.user_id", "legacy.user_id", "nodes.user_id", "rings_a.user_id",
    "oddities.user_id",
)  # fmt: skip
SCHEMA = """
    delete from pgmend.guarded_constraints;
    alter table public.orders drop constraint fk_orders_user_id;
    alter table public.leads drop constraint leads_user_id_fkey;
    alter table public.leads alter user_id drop not null;
    alter table public.conversations drop constraint conversations_customer_id_fkey,
        drop constraint conversations_admin_id_fkey, drop constraint conversations_pair_is_unique;
    alter table public.chat_messages drop constraint chat_messages_sender_id_fkey;

    alter table public.profiles add column org int not null default 1, add unique (org, id);
    create table public.bills (id int primary key, org int, payer uuid);
    alter table public.bills add constraint bills_payer_fkey
        foreign key (org, payer) references public.profiles (org, id) on delete cascade not valid;

    create table public.visits (user_id uuid, on_day date, note text, primary key (user_id, on_day, note))
        partition by range (on_day);
    create table public.visits_old partition of public.visits for values from (minvalue) to ('2025-01-01');
    create table public.visits_new (note text not null, on_day date not null, gone int, user_id uuid not null);
    alter table public.visits_new drop column gone;
    alter table public.visits attach partition public.visits_new for values from ('2025-01-01') to (maxvalue);

    create table public.clicks (id int primary key, user_id uuid) partition by hash (id);
    create table public.clicks_0 partition of public.clicks for values with (modulus 2, remainder 0);
    create table public.clicks_1 partition of public.clicks for values with (modulus 2, remainder 1);

    create table public.places (user_id uuid, kind text) partition by list (kind);
    create table public.places_here partition of public.places for values in ('here');
    create table public.places_else partition of public.places default;

    create table public.legacy (user_id text, note char(5));

    create table public.nodes (
        id int primary key, user_id uuid, parent_id int references public.nodes (id) on delete cascade,
        visited_id int references public.clicks (id) on delete set null
    );

    create table public.rings_a (id int primary key, user_id uuid, b_id int);
    create table public.rings_b (id int primary key, a_id int references public.rings_a (id) on delete restrict);
    alter table public.rings_a add foreign key (b_id) references public.rings_b (id);

    create type public.size as (width int, label text);
    create table public.oddities (
        id int generated always as identity, user_id uuid, f8 float8, n numeric(12, 2), at timestamptz, lasts interval,
        raw bytea, span int4range, grid int[], words text[], doc jsonb, text_doc json, size public.size, price money,
        short char(5), loose bpchar, "Quoted ""Name" text, twice float8 generated always as (f8 * 2) stored, primary key (id)
    );

    create table public.journal (what text);
    create function public.keep_journal() returns trigger language plpgsql as
    $$ begin insert into journal values (tg_table_name || tg_op); return coalesce(new, old); end $$;
    create trigger orders_journal before insert or update or delete on public.orders
        for each row execute function public.keep_journal();
"""
ODDITY = """
    insert into public.oddities (id, user_id, f8, n, at, lasts, raw, span, grid, words, doc, text_doc, size, price, short, loose,
        "Quoted ""Name")
    overriding system value values ($1, $2, 0.1234567890123456789, 1.005, '2025-03-04 10:00:00.123456+05',
        '-1 mon 2 days 3:04:05.6', '\\x00ff', '[1,5)', '[2:4]={7,NULL,9}', array['', 'NULL', null, 'a"b', '{c}'],
        '{"a": null}', '{"b":  1}', row(null, null), 1234.5, 'ab', 'ab  ', 'x')
"""


@dataclass(frozen=True, slots=True)
class Rows:
    """Who is meant by the rows of each table, in order, as places in PEOPLE; and to which earlier row each of some refers."""

    people: Mapping[str, Sequence[int]]
    links: Sequence[int]


def key_of(person: int) -> uuid.UUID:
    """Return a person's key."""
    return uuid.uuid5(uuid.NAMESPACE_DNS, PEOPLE[person])


async def make_people(connection: Connection) -> None:
    """Let the people be what they are called."""
    await connection.execute("set session_replication_role = replica")
    for person, name in enumerate(PEOPLE):
        if name in {"whole", "healable", "erased"}:
            await connection.execute(
                "insert into public.users (id, email, deleted_at) values ($1, $2, case when $2 = 'erased' then now() end)",
                key_of(person),
                name,
            )
    await connection.execute("insert into public.profiles (id, name) values ($1, 'whole')", key_of(0))
    await connection.execute(
        "insert into public.error_logs (error_type, severity, user_id, message) "
        "values ('MISSING_PROFILE_CREATED', 'info', $1, 'was there')",
        str(key_of(PEOPLE.index("gone"))),
    )


async def fill(connection: Connection, rows: Rows) -> None:
    """Insert the rows, with no key or trigger asked. Numbers of rows are their ids; a link leads to any row of its table."""
    await connection.execute("set session_replication_role = replica")
    link = [*rows.links, 0]
    clicks = len(rows.people.get("clicks", ()))
    for table, people in rows.people.items():
        for number, person in enumerate(people):
            new = New(table, number, key_of(person), link[number % len(link)] % len(people), clicks)
            statement, arguments = INSERTS[table]
            await connection.execute(statement, *arguments(new))
    await connection.execute("set session_replication_role = origin")


@dataclass(frozen=True, slots=True)
class New:
    """A row to be inserted: its number, whom it means, and which row it links to; ``clicks``: how many there are."""

    table: str
    number: int
    key: uuid.UUID
    other: int
    clicks: int

    @property
    def row(self) -> uuid.UUID:
        """Return the row's own key, where it is no number."""
        return _row(self.table, self.number)

    @property
    def spelled(self) -> str:
        """Return the person's key as legacy tables have it."""
        return (str(self.key), str(self.key).upper(), f"legacy-{self.number}")[self.number % 3]


def _row(table: str, number: int) -> uuid.UUID:
    return uuid.uuid5(key_of(0), f"{table} {number}")


INSERTS: dict[str, tuple[str, Callable[[New], tuple[object, ...]]]] = {
    "orders": ("insert into public.orders (id, user_id, amount) values ($1, $2, 9.90)", lambda new: (new.row, new.key)),
    "leads": ("insert into public.leads (id, user_id, source) values ($1, $2, 'web')", lambda new: (new.row, new.key)),
    "conversations": (
        "insert into public.conversations (id, customer_id, admin_id) values ($1, $2, $3)",
        lambda new: (new.row, new.key, key_of(new.other % len(PEOPLE))),
    ),
    "chat_messages": (
        """
        insert into public.chat_messages (id, conversation_id, sender_id, content)
        select $1, (select id from public.conversations where id = $2), $3, 'hello'
        """,
        lambda new: (new.row, _row("conversations", new.other), new.key),
    ),
    "bills": ("insert into public.bills values ($1, $2, $3)", lambda new: (new.number, new.other % 2 + 1, new.key)),
    "visits": (
        "insert into public.visits values ($1, make_date(2024 + $2 % 2, 5, 6), $2::int::text)",
        lambda new: (new.key, new.number),
    ),
    "clicks": ("insert into public.clicks values ($1, $2)", lambda new: (new.number, new.key)),
    "places": ("insert into public.places values ($1, $2)", lambda new: (new.key, ("here", "there")[new.number % 2])),
    "legacy": ("insert into public.legacy values ($1, 'ab')", lambda new: (new.spelled,)),
    "nodes": (
        "insert into public.nodes values ($1, $2, nullif($3::int, $1), case when $3 < $4::int then $3 end)",
        lambda new: (new.number, new.key, new.other, new.clicks),
    ),
    "rings_a": ("insert into public.rings_a values ($1, $2, $3)", lambda new: (new.number, new.key, new.other)),
    "rings_b": ("insert into public.rings_b values ($1, $2)", lambda new: (new.number, new.other)),
    "oddities": (ODDITY, lambda new: (new.number, new.key)),
}
