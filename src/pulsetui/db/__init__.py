"""SQLite as pulsetui uses it: one writer, `query_only` readers, migrations, ballast, and who owns the data.

Subjects keep their SQL in their own `store.py`; nothing outside this room opens the database or commits.
"""
