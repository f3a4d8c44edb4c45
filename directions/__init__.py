"""For people: `<agent>.md`, what each agent is to do. For the program: the code that reads, checks and writes them."""
