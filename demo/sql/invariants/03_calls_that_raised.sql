-- Calls of the application that ended in an error which was neither stored nor captured.
select
    count(*) filter (where intent.answer = 'raised') as found,
    count(*) as checked
from demo.intents as intent
where intent.act <> 'sign_up'
