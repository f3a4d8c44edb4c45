"""Files for people: none. Code: does a task in its clone and gives evidence."""
