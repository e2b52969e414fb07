-- What was applied, in order.
select version, name, sha256
from pgmend.migrations
order by version
