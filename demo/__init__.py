"""A storm of sign-up races, played against a real Postgres and a real worker, and counted afterwards.

__main__    options -> stage -> workers -> performance -> result; read ``performance`` first
stage       the server and the database it is played on
workers     the worker processes, and their SIGKILL
plan        who signs up and what is done for them: all random choices
storm       the concurrent clients; ``acts`` is what one of them does, ``ledger`` what it was told
incidents   what happens in the middle: an admin appears, the workers are killed and started again
invariants  promises against facts, one query each: ``sql/invariants``
view        what a spectator sees, on a terminal or in a pipe
orphans     another story: what already went wrong, put right and taken back (``--orphans``)
"""
