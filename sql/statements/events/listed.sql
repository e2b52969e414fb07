-- Events of both lanes, newest first: at most $7 with ids below $6, of those that fit what is given ($1 user, $2 kind, $3 table,
-- with or without its schema, $4 constraint, $5 state). What a captured row holds is not read.
with told as (
    select
        event.event_id, event.source_id, event.kind, event.lane, event.user_key,
        case
            when source.paused_at is not null then 'paused'
            when event.waiting_for is not null or event.waits_for_event is not null then 'waiting'
            when event.available_at > clock_timestamp() then 'later'
            else 'due'
        end as state,
        event.attempts, event.available_at, event.created_at, nullif(event.correlation_id, '') as correlation_id,
        event.last_failure::text as last_failure, event.referencing_table, event.constraint_name, event.writer_role,
        event.waiting_for, event.waits_for_event
    from pgmend.outbox as event
    left join pgmend.profile_sources as source on event.source_id = source.source_id
    where event.event_id < coalesce($6::bigint, 9223372036854775807)
)

select
    told.event_id, told.source_id, told.kind, told.lane, told.user_key, told.state, told.attempts, told.available_at,
    told.created_at, told.correlation_id, told.last_failure, told.referencing_table::text as referencing_table,
    told.constraint_name, told.writer_role, told.waiting_for, told.waits_for_event
from told
where
    ($1::text is null or told.user_key = $1)
    and ($2::text is null or told.kind = $2)
    and (
        $3::text is null
        or exists (
            select
            from pg_catalog.pg_class as relation
            inner join pg_catalog.pg_namespace as space on relation.relnamespace = space.oid
            where
                relation.oid = told.referencing_table::oid
                and $3 in (relation.relname::text, space.nspname || '.' || relation.relname)
        )
    )
    and ($4::text is null or told.constraint_name = $4)
    and ($5::text is null or told.state = $5)
order by told.event_id desc
limit $7
