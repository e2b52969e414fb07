-- Users for whom the profiles made by the worker and the entries MISSING_PROFILE_CREATED differ in number.
with audited as (
    select user_id, count(*) as entries
    from public.error_logs
    where error_type = 'MISSING_PROFILE_CREATED'
    group by user_id
)

select
    count(*) filter (where coalesce(made.profiles, 0) <> coalesce(audited.entries, 0)) as found,
    count(*) as checked
from (
    select user_id::text as user_id, count(*) as profiles
    from demo.profiles_made
    where made_by = 'worker'
    group by user_id
) as made
full join audited on made.user_id = audited.user_id
