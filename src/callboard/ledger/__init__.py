"""What happened, as tables that can be queried: filled from the archives of the journals, and made anew from them at any time."""
