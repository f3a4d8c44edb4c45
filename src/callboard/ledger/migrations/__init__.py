"""Each brings the ledger from one released schema to the next."""
