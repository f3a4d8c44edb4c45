"""Files for people: what every agent did, one log each. Code: writes them from the journal, and reads them back."""
