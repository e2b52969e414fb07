-- Locks one user who is not erased (for share, until the transaction ends); false when there is none.
select pgmend.hold_user($1, $2)
