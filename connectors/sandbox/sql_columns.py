"""Where a field of a query lies in the tables: own fields, those of parents, and what is worked out from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from connectors.sandbox import clock
from connectors.sandbox.errors import Refusal
from connectors.sandbox.schema import Field, Schema, SObject

_OF_A_FORMULA = "__"


@dataclass(slots=True)
class Joins:
    """The parents a query touches, each joined once. `schema` is what the user sees; a formula also sees what only `everything` holds."""

    sobject: SObject
    schema: Schema
    everything: Schema
    alias: str = "t"
    joined: dict[str, tuple[str, Field]] = field(default_factory=dict)
    """By alias: the alias it is joined to, and by which field."""

    def column(self, path: str) -> tuple[Field, str, str | None]:
        """The field at the end of `path`, its SQL, and the relationship it is reached through."""
        relationship, dot, name = path.rpartition(".")
        if not dot:
            own = self.sobject.field(name)
            if own is None:
                raise no_column(name, self.sobject.name)
            return own, self._sql(self.sobject, own, self.alias), None
        parent = self.sobject.parent(relationship)
        if parent is None or parent.relationship is None:
            message = f"Didn't understand relationship '{relationship}' in field path. A custom relationship ends in '__r'."
            raise Refusal("INVALID_FIELD", message)
        other = self.schema.get(str(parent.joins).lower())
        found = other.field(name) if other else None
        if found is None or other is None:
            raise no_column(name, str(parent.joins))
        return found, self._sql(other, found, self._join(self.alias, parent, parent.relationship)), parent.relationship

    def parents(self) -> tuple[tuple[str, str], ...]:
        """Relationship and object of each parent that a path named."""
        return tuple((alias, str(f.joins)) for alias, (_, f) in self.joined.items() if not alias.startswith(_OF_A_FORMULA))

    def sql(self) -> str:
        return "".join(
            f' LEFT JOIN "{f.joins}" "{alias}" ON "{alias}".Id = "{base}"."{f.name}" AND "{alias}"._until IS NULL AND "{alias}"._shared'
            for alias, (base, f) in self.joined.items()
        )

    def _sql(self, sobject: SObject, f: Field, alias: str) -> str:
        if f.generated:
            return f'coalesce("{alias}"."{f.name}", generated_text("{alias}"._number, {f.generated}))'
        if f.formula is None:
            return f'"{alias}"."{f.name}"'
        relationship, dot, name = f.formula.rpartition(".")
        target, at = sobject, alias
        if dot:
            parent = sobject.parent(relationship)
            if parent is None:
                raise no_column(f.formula, sobject.name)
            target, at = self.everything[str(parent.joins).lower()], self._join(alias, parent, f"{_OF_A_FORMULA}{alias}.{parent.relationship}")
        found = target.field(name)
        if found is None:
            raise no_column(f.formula, sobject.name)
        return self._sql(target, found, at)

    def _join(self, base: str, parent: Field, alias: str) -> str:
        self.joined[alias] = (base, parent)
        return alias


def seen(sobject: SObject, alias: str, *, deleted: bool, now: datetime) -> str:
    """The condition under which the connected user's queries see a row. `deleted`: in the recycle bin or the archive, too."""
    at = clock.wire(now)
    parts = [f'"{alias}"._visible', f'"{alias}"._shared', f"""("{alias}"._from IS NULL OR "{alias}"._from <= '{at}')"""]
    parts.append(f"""("{alias}"._until IS NULL OR "{alias}"._until > '{at}')""")
    if not deleted:
        parts += [f'NOT "{alias}"."{name}"' for name in ("IsDeleted", "IsArchived") if name.lower() in sobject.fields]
    return " AND ".join(parts)


def no_column(name: str, object_name: str) -> Refusal:
    message = (
        f"No such column '{name}' on entity '{object_name}'. If you are attempting to use a custom field, be sure to append the '__c' after the custom "
        "field name. Please reference your WSDL or the describe call for the appropriate names."
    )
    return Refusal("INVALID_FIELD", message)
