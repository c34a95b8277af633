"""Relaying: every entry and exit of a cohort to a company's other systems, once, with the truth about each."""
