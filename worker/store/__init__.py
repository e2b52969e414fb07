"""Postgres: one module for each table, one function for each statement, no decisions."""
