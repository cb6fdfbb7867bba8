"""Fetches one source into one file, durably, and says what it was.

- `contract`: what is asked (`Request`), what is answered (`Head`, `Fetched`), and who is kept informed (`Observer`).
- `transfer`: `Downloader`, one fetch from the first byte to the synced folder.
- `receiving`: the loop that reads, paces, and hands batches to be written and hashed.
- `partial`: the partial file: locked, hashed as it grows, taken over by the next attempt, published by a rename.
- `sources`: the `Source` protocol and the registry; `http_source` and `local_source` are the built-in ones.
- `addresses`, `ranges`, `pacing`, `ingest`: which addresses may be connected to, what an answer to a range means, how
  fast it may go, and whether the bytes are media.

The invariant: a name without `.partial` leads to a whole, checked file that is on disk; whatever a kill leaves behind
is either such a file or a partial file that is a prefix of the body. Retries, reservations and the queue are left to
the service.
"""
