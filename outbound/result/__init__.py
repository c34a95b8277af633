"""What an answer of Mixpanel means for a call."""
