-- Rows of a repair that could not be restored, and why: the first $2 of them.
select
    kept.table_name,
    coalesce(
        (select string_agg(part.value, ',' order by part.key) from jsonb_each_text(kept.key_image) as part),
        kept.old_key
    ) as row_key,
    kept.refusal ->> 'sqlstate' as sqlstate,
    kept.refusal ->> 'constraint' as constraint_name,
    kept.refusal ->> 'reason' as reason
from pgmend.quarantine as kept
where kept.repair_id = $1 and kept.restored_at is null and kept.refusal is not null
order by kept.quarantine_id
limit $2
