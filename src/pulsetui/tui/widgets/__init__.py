"""The tui widgets room."""
