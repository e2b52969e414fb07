-- The dead letters of source $1 by verdict.
select
    verdict,
    count(*) as letters
from pgmend.dead_letters
where source_id = $1
group by verdict
order by verdict
