from trainer.sources import UNLISTED, family, source


def test_topics_and_the_mark_of_the_pool_are_no_part_of_a_source():
    assert family("pool_snlp_sensitive_topics:racism") == "snlp_sensitive_topics"


def test_a_source_states_its_licence():
    assert source("snlp_inappropriate_v1_ok:religion").licence == "CC BY-NC-SA 4.0"


def test_of_an_unlisted_source_nothing_is_claimed():
    assert source("наш чат") is UNLISTED
    assert UNLISTED.licence == "none stated"
