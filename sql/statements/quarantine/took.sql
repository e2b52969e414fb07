-- Whether repair $1 has ever taken or changed a row because of key $2, of table $3; null: of any.
select count(*) > 0 as is_there
from pgmend.repaired_rows as kept
where
    kept.repair_id = $1
    and ($2::text is null or kept.old_key = $2)
    and ($3::text is null or kept.referencing_table = to_regclass($3))
