-- Drops what is kept of users of source $1 who are erased, among the next $3 events above $2.
select
    last_event,
    looked,
    dropped
from pgmend.drop_erased($1, $2, $3)
