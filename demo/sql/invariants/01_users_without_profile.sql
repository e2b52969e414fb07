-- Users without a profile, neither erased nor put in front of a person.
with letter as (
    select distinct user_key
    from pgmend.dead_letters
    where kind = 'user_created'
)

select
    count(*) filter (where profile.id is null and letter.user_key is null) as found,
    count(*) as checked
from public.users as users
left join public.profiles as profile on users.id = profile.id
left join letter on users.id::text = letter.user_key
where users.deleted_at is null
