"""What can be set, where it is read from, and how wrong values are refused."""
