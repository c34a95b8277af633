"""Files as a destination: what they hold, what they are called, and the places that take them."""
