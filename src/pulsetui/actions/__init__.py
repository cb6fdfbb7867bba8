"""What can be ordered: typed actions with rights, an audit, and the way from other processes to the owner."""
