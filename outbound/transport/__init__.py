"""The way to Mixpanel: the socket, deadlines, budgets, and when a call is tried again."""
