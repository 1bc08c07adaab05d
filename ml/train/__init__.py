"""Training: the only part of ml that reads data sets. Each module is run with `python -m ml.train.<name>`."""
