-- The conditions of source $1 that raise whoever the user is, and what they raise.
select condition, written, raised, message
from pgmend.refused_conditions($1)
