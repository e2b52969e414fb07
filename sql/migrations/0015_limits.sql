-- Limits: what a writer may have waiting, and when a source is stopped until a person has looked. How long it is kept is a
-- setting of the worker (0019_retention.sql).
--   captured_rows       captured rows of one writer's role that may wait, dead letters included
--   captured_row_bytes  the largest captured row, with what it waits for and its correlation id
--   claims_bytes        the largest request.jwt.claims that is stored with one
--   unexpected_users    a sweep that finds more users without profile than that, in a source that is armed,
--   unexpected_share    and more than that share of all its users, pauses the source instead of announcing them
create table if not exists pgmend.limits (
    only_row boolean not null default true,
    captured_rows integer not null default 10000,
    captured_row_bytes integer not null default 1048576,
    claims_bytes integer not null default 16384,
    unexpected_users integer not null default 100,
    unexpected_share double precision not null default 0.1,
    constraint limits_pkey primary key (only_row),
    constraint limits_are_one_row check (only_row),
    constraint limits_are_not_negative check (least(captured_rows, captured_row_bytes, claims_bytes, unexpected_users) >= 0),
    constraint limits_unexpected_share_is_a_share check (unexpected_share between 0 and 1)
);

insert into pgmend.limits (only_row) values (true) on conflict do nothing;

-- Refuses a captured row that is too large, or one too many of its writer. A session that captures many at once has them counted
-- with every 64th alone, since counting them for each would take time with the square of their number: it may have 63 too many.
-- What tells is the server's count of the rows that the session has written, which nobody can set; where it does not count, all
-- are counted for each row.
create or replace function pgmend.require_room(writer_role name, row_image jsonb, writer_claims text, beside text)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
#variable_conflict use_column
declare
    configured pgmend.limits;
    row_bytes constant integer := octet_length(require_room.row_image::text) + octet_length(require_room.beside);
    captured_here constant bigint := pg_stat_get_xact_tuples_inserted('pgmend.careful_events'::regclass);
    waiting bigint;
begin
    select limits.* into strict configured from pgmend.limits as limits;
    if row_bytes > configured.captured_row_bytes then
        raise exception 'the row is too large to be captured'
            using
                errcode = 'program_limit_exceeded',
                detail = format('%s bytes, the limit is %s', row_bytes, configured.captured_row_bytes),
                hint = 'pgmend.limits holds the limit captured_row_bytes.';
    end if;
    if octet_length(require_room.writer_claims) > configured.claims_bytes then
        raise exception 'request.jwt.claims is too large to be stored with a captured row'
            using
                errcode = 'program_limit_exceeded',
                detail = format('%s bytes, the limit is %s', octet_length(require_room.writer_claims), configured.claims_bytes),
                hint = 'pgmend.limits holds the limit claims_bytes.';
    end if;

    if captured_here > 64 and captured_here % 64 <> 0 then
        return;
    end if;
    select count(*) into waiting
    from (
        select from pgmend.careful_events as event
        where event.kind = 'insert_failed' and event.writer_role = require_room.writer_role
        union all
        select from pgmend.dead_letters as letter
        where letter.kind = 'insert_failed' and letter.writer_role = require_room.writer_role
        limit configured.captured_rows
    ) as captured;
    if waiting >= configured.captured_rows then
        raise exception 'the role % has % captured rows waiting, and may have no more', require_room.writer_role, waiting
            using
                errcode = 'configuration_limit_exceeded',
                hint = 'Look at pgmend.dead_letters and requeue or discard; pgmend.limits holds the limit captured_rows.';
    end if;
end
$function$;

-- Whether a sweep has found more than anybody expected. A source that nobody armed yet has users of the past to heal.
create or replace function pgmend.is_unexpected(source_id integer, found_users bigint, all_users bigint default null)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
select
    source.is_armed
    and found_users > limits.unexpected_users
    and (all_users is null or found_users > limits.unexpected_share * all_users)
from pgmend.profile_sources as source
cross join pgmend.limits as limits
where source.source_id = is_unexpected.source_id
$function$;

-- Stops a source: nothing is healed and nothing is replayed until a person resumes it; captures go on. Null where it was paused.
create or replace function pgmend.pause_source(source_id integer, reason text)
returns timestamptz
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
#variable_conflict use_column
declare
    since timestamptz;
begin
    update pgmend.profile_sources as source
    set paused_at = clock_timestamp(), paused_because = reason
    where source.source_id = pause_source.source_id and source.paused_at is null
    returning source.paused_at into since;
    if since is not null then
        insert into pgmend.audit_entries (error_type, severity, message, details)
        values (
            'SOURCE_PAUSED', 'error', reason, jsonb_build_object('source_id', pause_source.source_id, 'paused_by', session_user)
        );
    end if;
    return since;
end
$function$;

-- Lets a source go on, and says that what is missing now is to be made: the next sweep announces it, however much it is.
-- Null where it was not paused.
create or replace function pgmend.resume_source(source_id integer)
returns timestamptz
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
#variable_conflict use_column
declare
    resumed constant timestamptz := clock_timestamp();
begin
    update pgmend.profile_sources as source
    set paused_at = null, paused_because = null, is_armed = false, resumed_at = resumed
    where source.source_id = resume_source.source_id and source.paused_at is not null;
    if not found then
        return null;
    end if;
    insert into pgmend.audit_entries (error_type, severity, message, details)
    values (
        'SOURCE_RESUMED', 'info', 'a person lets the source go on',
        jsonb_build_object('source_id', resume_source.source_id, 'resumed_by', session_user)
    );
    perform pg_notify('pgmend', '');
    return resumed;
end
$function$;
