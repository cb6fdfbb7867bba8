"""Volumes: which file systems there are, which of them are tracked, and whether a path stands on the right one."""
