"""Names of months and weekdays in English, as alternatives of a regular expression."""

SURE_MONTHS = "January|February|March|April|June|July|August|September|October|November|December"
"""All but the one that is a verb as well."""
MONTHS = f"{SURE_MONTHS}|May"
WEEKDAYS = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
