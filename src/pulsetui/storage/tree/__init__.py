"""Reading the sizes: trees of nodes as of a snapshot, what lies below them now, and their past."""
