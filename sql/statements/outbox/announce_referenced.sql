-- Announces the user whose profile a captured row ($1, $2) misses through another guarded key ($3), where the source wants one.
insert into pgmend.careful_events (source_id, kind, user_key, correlation_id)
select violation.source_id, 'user_created', violation.user_key, $4
from pgmend.violation($1::oid::regclass, $2::jsonb, $3) as violation
cross join lateral pgmend.user_facts(violation.source_id, array[violation.user_key]) as fact
where
    violation.waits_for_event is null
    and violation.user_key is not null
    and fact.user_state = 'eligible'
    and not fact.profile_exists
    and not exists (
        select
        from pgmend.outbox as event
        where
            event.source_id = violation.source_id
            and event.kind = 'user_created'
            and event.user_key = violation.user_key
    )
    and not exists (
        select
        from pgmend.dead_letters as letter
        where
            letter.source_id = violation.source_id
            and letter.kind = 'user_created'
            and letter.user_key = violation.user_key
    )
