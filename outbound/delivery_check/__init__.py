"""Landed or not (F16): whether an event that was sent can be read back from Mixpanel, and if not, why probably.

An answer of Mixpanel says that a call was understood, not that its events are kept: `/track` takes a wrong token, old
events are dropped in silence. So the worker looks for the event's `$insert_id` in the raw export, a few times with
growing pauses, within the budget of exports.
"""
