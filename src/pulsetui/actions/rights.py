"""Who may do what: rights from the settings and the owner of the data directory.

The barrier is the file system (`db.place`): who reaches the owner's socket at all may view. These rights come on top.
"""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Iterable

from pulsetui.actions.base import Right
from pulsetui.db.identity import user_name
from pulsetui.settings.models import Access


def rights_of(uid: int, access: Access, *, data_owner_uid: int) -> frozenset[Right]:
    """Return the rights of a user. May ask the machine's directory service: not for the event loop.

    Root and the owner of the data directory have all; `admins` and `operators` name users (or uids) and `@groups`.
    """
    if uid in (0, data_owner_uid) or _named(uid, access.admins):
        return frozenset(Right)
    if _named(uid, access.operators):
        return frozenset({Right.VIEW, Right.OPERATE})
    return frozenset({Right.VIEW})


def _named(uid: int, names: Iterable[str]) -> bool:
    """Say whether a user is among `names`; an unknown group has no members."""
    wanted = set(names)
    if {user_name(uid), str(uid)} & wanted:
        return True
    groups = {name.removeprefix("@") for name in wanted if name.startswith("@")}
    return bool(groups) and not groups.isdisjoint(_groups_of(uid))


def _groups_of(uid: int) -> set[str]:
    try:
        user = pwd.getpwuid(uid)
    except KeyError:
        return set()
    names = set()
    for group_id in os.getgrouplist(user.pw_name, user.pw_gid):
        try:
            names.add(grp.getgrgid(group_id).gr_name)
        except KeyError:
            names.add(str(group_id))
    return names
