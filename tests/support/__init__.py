"""What the tests share: databases, processes, and waiting for a condition."""
