-- What was counted last of each reference.
select
    counts.reference, counts.referencing_table, counts.constraint_name, counts.orphans, counts.orphans_since, counts.counted_at
from pgmend.orphan_counts as counts
order by counts.orphans desc, counts.reference
limit $1
