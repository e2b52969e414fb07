-- How many events came to which verdict. A sign-up that needed nothing leaves no entry: those are what remains.
with entries as (
    select
        case error_type
            when 'MISSING_PROFILE_CREATED' then 'profile healed'
            when 'INSERT_REPLAYED' then 'insert replayed'
            when 'INSERT_FOUND_STORED' then 'insert found stored'
            when 'CONVERSATION_RETRIED' then 'conversation finished'
            when 'ERASED_USER_EVENT_DROPPED' then 'dropped, user erased'
            when 'EVENT_DEAD_LETTERED' then 'dead letter, ' || (details ->> 'verdict')
        end as verdict
    from public.error_logs
)

select verdict, count(*) as events
from entries
where verdict is not null
group by verdict
order by count(*) desc, verdict
