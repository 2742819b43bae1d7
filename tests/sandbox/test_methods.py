from aiogram import methods

from sandbox.methods import METHODS


def test_every_name_is_a_method_of_the_bot_api():
    known = {name.lower() for name in methods.__all__}

    assert METHODS.keys() <= known
