-- Each legacy id, and the user whom the old system knew by it.
with legacy as (
    select
        lead.user_id as old_key,
        row_number() over (order by lead.user_id) as place
    from public.leads as lead
    where lead.user_id like 'legacy-%'
    group by lead.user_id
),

whole as (
    select
        profile.id,
        row_number() over (order by profile.id) as place
    from public.profiles as profile
    where profile.name like 'Person %'
)

select
    legacy.old_key,
    whole.id::text as new_key
from legacy
inner join whole on legacy.place = whole.place
order by legacy.place
