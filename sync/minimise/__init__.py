"""Keeping less of people than Mixpanel sends: on arrival, and of what is stored already. Membership never changes."""
