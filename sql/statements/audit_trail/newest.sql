-- Audit entries of everybody, newest first: at most $8, of those that fit what else is given ($1 user, $2 event, $3 error type),
-- from $4 on and before $5, after the entry of time $6 and place $7. From one error type to the next by the index by type and
-- time, the newest of each, and of those the newest: an index by time alone would be paid for by every healed user. In a table
-- that the application has divided a place is one in each of its parts, so every condition is said again of what is shown.
with recursive types (error_type) as (
    (
        select error_type
        from pgmend.audit_entries
        order by error_type
        limit 1
    )
    union all
    select (
        select following.error_type
        from pgmend.audit_entries as following
        where following.error_type > types.error_type
        order by following.error_type
        limit 1
    )
    from types
    where types.error_type is not null
),

newest_of_each as (
    select
        (
            select array_agg(found.place)
            from (
                select entry.place
                from pgmend.audit_entries as entry
                where
                    entry.error_type = types.error_type
                    and ($1::text is null or entry.user_id = $1)
                    and ($2::bigint is null or entry.event_id = $2)
                    and ($3::text is null or entry.error_type = $3)
                    and entry.created_at >= coalesce($4, timestamptz '-infinity')
                    and entry.created_at < coalesce($5, timestamptz 'infinity')
                    and entry.created_at <= coalesce($6, timestamptz 'infinity')
                    and (
                        $6::timestamptz is null
                        or entry.created_at < $6
                        or entry.place < $7::text::tid
                    )
                order by entry.created_at desc, entry.place desc
                limit $8
            ) as found
        ) as places
    from types
    where types.error_type is not null
)

select
    entry.created_at,
    entry.place::text as place,
    entry.error_type,
    entry.severity,
    entry.message,
    entry.user_id,
    entry.table_name,
    entry.constraint_name,
    entry.sqlstate,
    entry.attempt,
    entry.event_id,
    entry.correlation_id,
    entry.details::text as details
from pgmend.audit_entries as entry
where
    entry.place = any(array(select unnest(newest_of_each.places) from newest_of_each))
    and ($1::text is null or entry.user_id = $1)
    and ($2::bigint is null or entry.event_id = $2)
    and ($3::text is null or entry.error_type = $3)
    and entry.created_at >= coalesce($4, timestamptz '-infinity')
    and entry.created_at < coalesce($5, timestamptz 'infinity')
    and entry.created_at <= coalesce($6, timestamptz 'infinity')
    and (
        $6::timestamptz is null
        or entry.created_at < $6
        or entry.place < $7::text::tid
    )
order by entry.created_at desc, entry.place desc
limit $8
