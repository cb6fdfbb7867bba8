"""pulsetui: the control room of a media pipeline box."""

__version__ = "0.1.0"
