-- Dead letters that do not say what happened and what would help.
select
    count(*) filter (where btrim(verdict) = '' or btrim(message) = '' or btrim(hint) = '') as found,
    count(*) as checked
from pgmend.dead_letters
