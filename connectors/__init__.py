"""Translation to and from the outside world: records in, tasks out. Decides and stores nothing."""
