"""Figures of the model card, for anyone to run again: `undertone evaluate text`."""
