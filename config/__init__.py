"""What the operator decides: settings, the clock, and how logs are written."""
