-- Until the end of the transaction a person ($1) requeues or discards; the audit names that person beside the role.
select set_config('pgmend.on_behalf_of', $1, true)
