-- Makes the missing profiles among the next $3 users of source $1 after key $2 (null: from the first).
select
    last_key,
    looked,
    healed,
    refusals::text as refusals
from pgmend.backfill_users($1, $2::text, $3)
