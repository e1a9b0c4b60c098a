"""Writes the files of a call: all of them, or none, also when the call is killed while it writes.

`locked` keeps other calls out of the trees that this one reads and writes, and cleans up after calls that were
killed there; what it gives writes.

- trees: which folders a call is about
- lock: flock on these folders, so that nothing is left behind
- journal: the file that says what a call was about to do
- transaction: prepare, replace, done; or put back
- recovery: what is to be done with a journal whose call is over
- disk: the calls of the operating system
"""

from migrate.writing.change import Change
from migrate.writing.session import Session
from migrate.writing.session import locked

__all__ = ["Change", "Session", "locked"]
