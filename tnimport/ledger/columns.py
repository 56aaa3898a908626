"""What the tables of the ledger have in common: the list of them all, how what belongs to them is named, columns."""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Double, Integer, MetaData

NAMING: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMING)

# SQLite makes only an INTEGER column the row id; PostgreSQL wants the wide type.
Id: Final = BigInteger().with_variant(Integer, "sqlite")


def count(name: str) -> Column[int]:
    """How many, from 0 on."""
    return Column(name, Integer, nullable=False, server_default="0")


def flag(name: str) -> Column[bool]:
    """Yes or no, at first no."""
    return Column(name, Boolean, nullable=False, server_default="0")


def time(name: str, *, nullable: bool = True) -> Column[float]:
    """Seconds since the epoch, by the database's clock."""
    return Column(name, Double, nullable=nullable)
