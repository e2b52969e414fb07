-- The steps of a run, in order.
select
    step.step_id, step.reference, step.reason, step.strategy, step.state, step.rows_planned, step.rows_done,
    step.rows_along, step.rows_refused, step.refusal
from pgmend.repair_steps as step
where step.repair_id = $1
order by step.step_id
