from sandbox.answers import bad_request
from sandbox.clock import Clock
from sandbox.journal import Journal


def test_a_call_is_open_until_it_is_finished():
    journal = Journal(Clock())
    call = journal.begin("getMe", {})
    assert (call.n, call.status, call.ok) == (1, None, None)

    journal.finish(call, True)
    assert (call.status, call.ok, call.description) == (200, True, None)


def test_a_refused_call_keeps_the_reason():
    journal = Journal(Clock())
    call = journal.begin("getMe", {})

    journal.finish(call, bad_request("chat not found"))

    assert (call.status, call.ok) == (400, False)
    assert call.description == "Bad Request: chat not found"


def test_whoever_listens_hears_everything_until_the_end():
    journal = Journal(Clock())
    with journal.listen() as listener:
        journal.tell("user", user={"id": 1})
        journal.close()
    journal.tell("user", user={"id": 2})

    assert [listener.get_nowait(), listener.get_nowait()] == [
        {"kind": "user", "user": {"id": 1}},
        None,
    ]
    assert listener.empty()
