"""How good usage drops are found, on generated workspaces and on counts of others: `undertone evaluate usage`."""
