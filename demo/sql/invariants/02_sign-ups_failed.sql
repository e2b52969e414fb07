-- Sign-ups that raised, or were acknowledged and are not there.
select
    count(*) filter (
        where intent.answer <> 'stored' or (users.id is null and person.fate <> 'erased_hard')
    ) as found,
    count(*) as checked
from demo.intents as intent
inner join demo.people as person on intent.user_id = person.user_id
left join public.users as users on intent.user_id = users.id
where intent.act = 'sign_up'
