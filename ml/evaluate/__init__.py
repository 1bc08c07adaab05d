"""Figures of the cards, for anyone to run again: `undertone evaluate text` and `undertone evaluate usage`."""
