"""Short addresses for long ones, over HTTP."""
