"""The tui dialogs room."""
