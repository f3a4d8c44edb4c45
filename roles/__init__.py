"""Files for people: role files, which say who may do what and how to think. Code: reads them and decides who may send what."""
