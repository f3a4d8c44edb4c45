"""Files for people: none. Code: a reviewer's verdict, and what verdicts add up to."""
