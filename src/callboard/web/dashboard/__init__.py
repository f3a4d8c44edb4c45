"""The dashboard: pages that are drawn here and kept up to date in the browser by what the journal says."""
