"""What people bring: tables of numbers in any dialect, arrays saved by numpy, Parquet and Excel."""

from seqviz.reading.tables import MissingValues, Table, read_table

__all__ = ["MissingValues", "Table", "read_table"]
