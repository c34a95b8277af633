"""What Mixpanel sends: the body of a call becomes a page, its members become ids and profiles."""
