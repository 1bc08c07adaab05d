"""The only place with SQL. A function takes a connection first, holds one statement, and returns frozen dataclasses."""
