import pandas as pd

from moderation import registry
from trainer.card import licence, sources


def test_a_published_model_is_whole_and_says_what_it_is(model, tmp_path):
    card = registry.verify(model)

    assert card.base == "from scratch"
    assert card.recipe["seed"] == 7
    assert set(card.files) == {path.name for path in model.iterdir()} - {"card.json", "README.md"}
    assert registry.publish(model, tmp_path / "models") == card.version


def test_no_path_of_the_machine_is_in_the_card(model):
    assert str(model.parent) not in (model / "card.json").read_text(encoding="utf-8")


def test_sources_are_counted_by_family():
    names = ["rutoxicon", "snlp_sensitive_topics:a", "pool_snlp_sensitive_topics:b"]
    listed = sources(pd.DataFrame({"source": names}))

    assert [(s["name"], s["texts"]) for s in listed] == [
        ("snlp_sensitive_topics", 2),
        ("rutoxicon", 1),
    ]


def say(*names, base="from scratch"):
    return licence(sources(pd.DataFrame({"source": names})), base)


def test_a_non_commercial_source_makes_the_model_so():
    said = say("snlp_inappropriate_v1_ok:a", "derived_cedr")

    assert said.startswith("Not for commercial use.")
    assert "CC BY-NC-SA 4.0 (s-nlp/inappropriate-sensitive-topics)" in said


def test_sources_without_a_licence_are_named():
    said = say("kaggle_2ch_pikabu", "derived_koziev_jokes")

    assert "states no licence (Kaggle blackmoon, 2ch and Pikabu)" in said
    assert "commercial" not in said


def test_the_licence_of_the_base_is_not_forgotten():
    assert "the base some/model holds too" in say("derived_cedr", base="some/model")
