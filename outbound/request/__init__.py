"""A request to Mixpanel: from parameters and records to what leaves, checked."""
