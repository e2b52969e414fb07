-- What source $1 fails with, as the last sweep has kept it.
select sqlstate, message, events
from pgmend.source_failures
where source_id = $1
