"""Receiving cohorts: what a page means, and how it changes who is in a cohort. Knows nothing of HTTP or Flask."""
