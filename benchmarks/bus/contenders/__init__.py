"""One module for each that takes part. Each has `run(url, count, report)`: put `count` messages there, then handle them all in this
one process; `report` what it was: handled messages a second, from the first that was begun to the last that was done.
`report` does not return: what contenders do at their end is not measured."""
