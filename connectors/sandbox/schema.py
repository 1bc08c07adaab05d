"""Objects and fields: what a field is, and what is left of them under the org's options."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

FieldType = Literal["id", "reference", "string", "textarea", "picklist", "email", "url", "phone", "boolean", "int", "double", "currency", "date", "datetime"]
KeyField = Literal["unique", "external", "missing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    name: str
    type: FieldType
    label: str
    length: int = 0
    createable: bool = False
    updateable: bool = False
    required: bool = False
    values: tuple[str, ...] = ()
    restricted: bool = False
    default: str | bool | None = None
    reference_to: tuple[str, ...] = ()
    relationship: str | None = None
    external_id: bool = False
    unique: bool = False
    formula: str | None = None
    """Another field of the row, or of a parent ("Account.Tier__c"), whose value this one shows. Its value is worked out when it is
    read, so that it never moves SystemModstamp."""
    rolled_up: bool = False
    """A sum or a latest day over rows below it: stored, but written by nobody, and without a new SystemModstamp."""
    generated: int = 0
    """Characters of text that, for a row without any, is made up from its number whenever it is read: a huge org needs no room for it."""

    @property
    def filterable(self) -> bool:
        """Long text can be neither filtered nor sorted by."""
        return not (self.type == "textarea" and self.length > 255)

    @property
    def custom(self) -> bool:
        return self.name.endswith("__c")

    @property
    def stored(self) -> bool:
        """Whether the row holds it, rather than working it out."""
        return self.formula is None

    @property
    def calculated(self) -> bool:
        return self.formula is not None or self.rolled_up

    @property
    def joins(self) -> str | None:
        """The object on the other side of the relationship; several possible ones are met through what they share, `Name`."""
        if not self.relationship:
            return None
        return self.reference_to[0] if len(self.reference_to) == 1 else "Name"


@dataclass(frozen=True, slots=True, kw_only=True)
class SObject:
    name: str
    prefix: str
    fields: Mapping[str, Field]
    """By lower-case name, in the order of the describe."""
    createable: bool = False
    updateable: bool = False
    deletable: bool = False
    queryable: bool = True
    bulk: bool = True
    """Whether the Bulk API knows it."""
    label: str = ""

    def field(self, name: str) -> Field | None:
        return self.fields.get(name.lower())

    def parent(self, relationship: str) -> Field | None:
        wanted = relationship.lower()
        return next((f for f in self.fields.values() if f.relationship and f.relationship.lower() == wanted), None)

    def with_field(self, f: Field) -> SObject:
        return replace(self, fields={**self.fields, f.name.lower(): f})

    def without_field(self, name: str) -> SObject:
        return replace(self, fields={key: f for key, f in self.fields.items() if key != name.lower()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How this org differs from the usual one. Hidden names are `Object` or `Object.Field`, as if by field-level security."""

    key_field: KeyField = "unique"
    hidden: frozenset[str] = frozenset()
    read_only: frozenset[str] = frozenset()
    empty: frozenset[str] = frozenset()
    """Objects that answer no rows, for example EmailMessage in an org whose mail is kept elsewhere."""
    page_size: int = 2_000
    page_characters: int = 5_000_000
    """A page ends early when its rows hold so many: Salesforce shortens pages of large rows."""
    uneven_pages: bool = False
    """Pages hold fewer rows than asked, each another number."""
    bulk_page_rows: int = 50_000
    """Rows of one set of bulk results, if the client asks for no fewer."""
    bulk_polls: int = 0
    """How often a bulk job is still under way when it is asked after."""
    daily_limit: int = 100_000
    rotate_refresh_token: bool = False
    token_seconds: int = 7_200
    soap_login: bool = True
    """Off in orgs made since Winter '26."""
    domain: str = "undertone-sandbox.my"
    named_by_host: bool = True
    """Whether the org calls itself by the host that was asked, so that a client over plain HTTP finds the way back. Off: always
    {domain}.salesforce.com, for a client that is led here and must not notice."""


Schema = Mapping[str, SObject]


def index(objects: Iterable[SObject]) -> Schema:
    return {o.name.lower(): o for o in objects}


def visible(schema: Schema, options: Options) -> Schema:
    """What the connected user sees of `schema`."""
    return index(_under(o, options) for o in schema.values() if o.name not in options.hidden)


def _under(sobject: SObject, options: Options) -> SObject:
    fields = (f for f in sobject.fields.values() if f"{sobject.name}.{f.name}" not in options.hidden)
    kept = (_field_under(sobject, f, options) for f in fields)
    return replace(sobject, fields={f.name.lower(): f for f in kept if f is not None})


def _field_under(sobject: SObject, f: Field, options: Options) -> Field | None:
    if f"{sobject.name}.{f.name}" in options.read_only:
        f = replace(f, createable=False, updateable=False)
    if not f.external_id or options.key_field == "unique":
        return f
    return replace(f, unique=False) if options.key_field == "external" else None
