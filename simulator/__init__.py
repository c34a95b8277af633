"""Mixpanel's side of a cohort sync, played over HTTP: people, exports, the sender's habits, and the comparison."""
