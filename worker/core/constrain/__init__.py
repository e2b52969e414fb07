"""How a reference becomes a valid foreign key: what is wished, what is there, and the steps from the one to the other."""
