"""The sizes of any folder, without a database."""
