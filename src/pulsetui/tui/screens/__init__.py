"""The tui screens room."""
