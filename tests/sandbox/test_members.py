import pytest

from sandbox.members import (
    ADMINISTRATOR,
    CREATOR,
    KICKED,
    LEFT,
    MEMBER,
    REQUIRED_RIGHTS,
    RESTRICTED,
    Member,
)


@pytest.mark.parametrize(
    ("member", "later"),
    [
        (Member(1, RESTRICTED, until_date=100), MEMBER),
        (Member(1, RESTRICTED, until_date=100, is_member=False), LEFT),
        (Member(1, KICKED, until_date=100), LEFT),
        (Member(1, KICKED), KICKED),
    ],
)
def test_a_punishment_runs_out(member, later):
    assert member.at(99) == member
    assert member.at(100).status == later


@pytest.mark.parametrize(
    ("member", "present"),
    [
        (Member(1, CREATOR), True),
        (Member(1, ADMINISTRATOR), True),
        (Member(1, MEMBER), True),
        (Member(1, RESTRICTED), True),
        (Member(1, RESTRICTED, is_member=False), False),
        (Member(1, LEFT), False),
        (Member(1, KICKED), False),
    ],
)
def test_presence_follows_the_status(member, present):
    assert member.is_present is present


def test_the_owner_has_every_right_and_an_administrator_the_given_ones():
    assert Member(1, CREATOR).has_right("can_restrict_members")
    assert Member(1, ADMINISTRATOR, frozenset({"can_delete_messages"})).has_right(
        "can_delete_messages"
    )
    assert not Member(1, ADMINISTRATOR).has_right("can_delete_messages")
    assert not Member(1, MEMBER, frozenset({"can_delete_messages"})).has_right(
        "can_delete_messages"
    )


def test_an_administrator_shows_every_required_right():
    shape = Member(1, ADMINISTRATOR).shape({"id": 1}, "supergroup")

    assert all(shape[right] is False for right in REQUIRED_RIGHTS)
    assert "can_post_messages" not in shape


def test_a_title_is_shown_for_staff_only():
    assert (
        Member(1, CREATOR, custom_title="хозяйка").shape({}, "group")["custom_title"] == "хозяйка"
    )
    assert "custom_title" not in Member(1, MEMBER, custom_title="сосед").shape({}, "group")
