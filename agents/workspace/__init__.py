"""Where work is done: every git command that is ever run, clones and vaults, gate slots, guarded commands."""
