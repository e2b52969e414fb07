-- Commands of pgmend whose exit status was another than the story says.
select
    count(*) filter (where ran.status <> ran.expected) as found,
    count(*) as checked
from demo.commands_run as ran
