"""Answers of Mixpanel's queries as tables, for people. Nothing here judges a call, and no shape is an error."""
