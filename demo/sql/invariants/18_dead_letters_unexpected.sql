-- Dead letters of somebody who should be whole, or with another verdict than was earned. One kind of erased user cannot be told
-- from one who never was: deleted outright, after the application itself had made the profile, so that pgmend never had to act.
with acted as (
    select distinct user_id
    from public.error_logs
    where error_type in ('MISSING_PROFILE_CREATED', 'ERASED_USER_EVENT_DROPPED')
)

select
    count(*) filter (
        where (coalesce(person.fate, 'nobody'), letter.verdict) not in (
            ('unknown', 'unknown_user'), ('needs_recipe', 'needs_recipe'), ('erased_hard', 'unknown_user')
        )
        or (person.fate = 'erased_hard' and acted.user_id is not null)
    ) as found,
    count(*) as checked
from pgmend.dead_letters as letter
left join demo.people as person on letter.user_key = person.user_id::text
left join acted on letter.user_key = acted.user_id
