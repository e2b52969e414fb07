-- Statements of the live application that failed, but for those that it had provoked itself. Its lock timeout passed is one.
select
    coalesce(sum(called.calls) filter (where called.answer not in ('done', 'own')), 0)::bigint as found,
    coalesce(sum(called.calls), 0)::bigint as checked
from demo.live_calls as called
