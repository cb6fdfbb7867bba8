"""The treemap as pure rules: which tile lies where, what it says, which colour it has. No screen, no I/O."""
