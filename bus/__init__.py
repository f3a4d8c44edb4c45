"""Files for people: none. Code: the language everybody speaks (messages, board) and how it is carried (Redis streams)."""
