from __future__ import annotations

import grp
import os
import pwd

import pytest

from pulsetui.actions.base import Right
from pulsetui.actions.rights import rights_of
from pulsetui.settings.models import Access

ALL = frozenset(Right)
OPERATOR = frozenset({Right.VIEW, Right.OPERATE})
VIEWER = frozenset({Right.VIEW})
USER = next(entry for entry in pwd.getpwall() if entry.pw_uid != 0)
GROUP = grp.getgrgid(USER.pw_gid).gr_name
OTHER = 4_000_000


def rights(
    uid: int, *, owner: int = OTHER + 1, admins: tuple[str, ...] = (), operators: tuple[str, ...] = ()
) -> object:
    return rights_of(uid, Access(admins=admins, operators=operators), data_owner_uid=owner)


def test_root_and_the_owner_of_the_data_are_admins() -> None:
    assert rights(0) == ALL
    assert rights(OTHER, owner=OTHER) == ALL


def test_everyone_else_may_view_only() -> None:
    assert rights(USER.pw_uid) == VIEWER
    assert rights(OTHER) == VIEWER


@pytest.mark.parametrize("name", [USER.pw_name, str(USER.pw_uid), f"@{GROUP}"])
def test_users_and_groups_get_what_the_settings_say(name: str) -> None:
    assert rights(USER.pw_uid, admins=("someone", name)) == ALL
    assert rights(USER.pw_uid, operators=(name,)) == OPERATOR
    assert rights(OTHER, admins=(name,), operators=(name,)) == VIEWER


def test_supplementary_groups_count() -> None:
    found = [
        (user, group)
        for user in pwd.getpwall()
        for group in grp.getgrall()
        if user.pw_uid and user.pw_gid != group.gr_gid and user.pw_name in group.gr_mem
    ]
    for user, group in found:
        assert group.gr_gid in os.getgrouplist(user.pw_name, user.pw_gid)
        assert rights(user.pw_uid, operators=(f"@{group.gr_name}",)) == OPERATOR


def test_a_user_named_like_a_group_does_not_get_its_rights() -> None:
    assert rights(USER.pw_uid, admins=(f"@{USER.pw_name}-nobody-has-this",)) == VIEWER


def test_an_unknown_group_has_no_members() -> None:
    assert rights(OTHER, admins=("@no such group",)) == VIEWER
