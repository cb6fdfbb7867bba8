"""The pipeline transcriber room."""
