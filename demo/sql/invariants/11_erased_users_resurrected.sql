-- Erased users who have a profile.
select
    count(*) filter (where profile.id is not null) as found,
    count(*) as checked
from demo.people as person
left join public.profiles as profile on person.user_id = profile.id
where person.fate in ('erased_hard', 'erased_soft')
