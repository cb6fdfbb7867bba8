"""The pipeline downloader room."""
