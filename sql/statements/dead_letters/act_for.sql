-- Until the end of the transaction: requeueing and discarding is on behalf of a person ($1), whom the audit names beside the role.
select set_config('pgmend.on_behalf_of', $1, true)
