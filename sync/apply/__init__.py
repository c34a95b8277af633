"""Applying a page: its cohort, session, people and memberships, in one transaction."""
