"""The long counts behind docs/proof.md: `./dev prove`."""
