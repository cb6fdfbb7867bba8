"""The actions room."""
