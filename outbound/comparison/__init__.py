"""A cohort compared with Mixpanel's own (F13): how many are there, or who.

Three ways: its count from the list of cohorts (one query), its ids page by page (one query for each 1,000 of them), or
the ids of a CSV that Mixpanel's Destinations page offers (no query). The worker does it in the background, within the
project's budget of 60 queries an hour, and goes on when the budget frees. Equal, missing here, extra here, and what
probably explains it.
"""
