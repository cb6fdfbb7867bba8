"""The composition root: opens the store, takes ownership, and runs the services under the supervisor.

What a lower room needs from a higher one is handed in here as a value or a callable.
"""
