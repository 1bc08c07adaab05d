"""Server-rendered pages over the same store functions as the API. Read-only; no JavaScript build."""
