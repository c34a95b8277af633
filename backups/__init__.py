"""Copies of everything that is stored, made on a schedule: read back, opened, kept elsewhere, and given up again."""
