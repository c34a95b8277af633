"""Questions that two rooms ask of the tables, each in one place."""
