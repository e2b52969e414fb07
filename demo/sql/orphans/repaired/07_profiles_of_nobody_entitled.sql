-- Profiles of users who are erased, or not to have one.
select
    count(*) filter (where users.deleted_at is not null or users.email is null) as found,
    count(*) as checked
from public.profiles as profile
inner join public.users as users on profile.id = users.id
