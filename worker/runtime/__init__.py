"""What runs for ever, and how it stops."""
