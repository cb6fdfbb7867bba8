"""The pipeline engines room."""
