"""The end of a refresh: who leaves, and what holds it."""
