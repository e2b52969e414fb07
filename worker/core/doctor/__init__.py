"""What the doctor makes of what it sees: rows of the catalog become findings. One module for each part of the report."""
