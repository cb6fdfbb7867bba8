"""The export format of ncdu: reading and writing it."""
