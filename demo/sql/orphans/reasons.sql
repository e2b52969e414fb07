-- How many orphans there were of each reason; along: messages of a conversation that is one.
select
    orphan.reason,
    count(*) as orphans
from demo.orphans as orphan
group by orphan.reason
order by orphan.reason
