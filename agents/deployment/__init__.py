"""Files for people: none. Code: puts what has landed where it is used: targets, releases, the switch."""
