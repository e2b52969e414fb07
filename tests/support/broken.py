"""Migrations of the application that break its profile source: nothing of it can be healed afterwards, whoever the user is."""

import json
from typing import Any

from worker.store.connection import Connection

CONDITION = "alter table public.users rename column deleted_at to removed_at"
"""``erased_when`` of the sample says deleted_at."""

MENDED = "users.removed_at is not null"
"""What it has to say then."""

ATTACHED_AGAIN = f"""
    select pgmend.attach_source(
        'public.users', 'public.profiles', recipe, eligible_when => eligible_when, erased_when => '{MENDED}'
    ) from pgmend.profile_sources
"""
"""Attaches it again, with what it has to say."""

_RAISES_FOR_USERS = """
    create table public.banned (id uuid);
    create function public.is_welcome(wanted uuid) returns boolean language plpgsql as
    $$ begin return not exists (select from public.banned where id = wanted); end $$;
    select pgmend.attach_source('public.users', 'public.profiles', '{}', eligible_when => 'public.is_welcome(users.id)');
    drop table public.banned
"""

BREAKS = [
    (CONDITION, "42703", "erased_when (users.deleted_at is not null): column users.deleted_at does not exist"),
    (_RAISES_FOR_USERS, "42P01", 'eligible_when (public.is_welcome(users.id)): relation "public.banned" does not exist'),
    ("alter table public.users rename full_name to called", "42703", "column users.full_name does not exist"),
    ("alter table public.profiles rename avatar_url to picture", "42703", "avatar_url"),
    ("drop table public.users cascade", "42P01", 'relation "public.users" does not exist'),
    ("alter table public.users drop id cascade", "42703", "column users.id does not exist"),
    ("drop function pgmend.facts_1(text[])", "42883", "function pgmend.facts_1(text[]) does not exist"),
    ("drop function pgmend.count_1()", "42883", "pgmend.count_1()"),
    ("drop function public.display_name(text, text)", "42883", "function public.display_name(text, text) does not exist"),
]
"""What breaks a source, with the SQLSTATE and a part of the message that it fails with."""


async def failure(connection: Connection) -> dict[str, Any] | None:
    """Return what is kept of the failure of source 1."""
    kept = await connection.fetchval("select to_json(it) from pgmend.source_failures as it where source_id = 1")
    return dict(json.loads(kept)) if kept else None
