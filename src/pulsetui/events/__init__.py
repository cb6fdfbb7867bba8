"""What happened: typed events, the bus that carries them to screens, and the log that keeps them."""
