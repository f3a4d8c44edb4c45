"""Files for people: none. Code: agent CLIs as brains; one small file says how to start each, and how to read it."""
