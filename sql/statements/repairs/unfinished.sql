-- The runs that are not finished, the oldest first.
select repair.repair_id, repair.search_path
from pgmend.repairs as repair
where repair.state = 'running'
order by repair.repair_id
