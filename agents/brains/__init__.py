"""Files for people: recorded transcripts. Code: where an agent's thinking comes from."""
