"""The processes room."""
