"""The scanner: what lies in the folders of a root, listed by worker processes or known to be as it was.

- `records`: what is known of one folder.
- `scanner`: brings the records of one root up to date.
"""
