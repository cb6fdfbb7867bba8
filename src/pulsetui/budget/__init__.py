"""The budget room."""
