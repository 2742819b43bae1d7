import pytest

from moderation.categories import RECIPE_NAMES, TITLES, TOXIC, Category


def test_there_are_five_toxic_categories_and_non_toxic():
    assert len(TOXIC) == 5
    assert set(Category) - set(TOXIC) == {Category.NON_TOXIC}


@pytest.mark.parametrize("category", Category)
def test_every_category_is_found_by_each_of_its_names(category):
    for name in (category.value, RECIPE_NAMES[category], TITLES[category]["ru"]):
        assert Category.of(f" {name.upper()} ") is category


@pytest.mark.parametrize(
    ("label", "category"),
    [
        ("non-toxic", Category.NON_TOXIC),
        ("insult", Category.INSULT),
        ("obscenity", Category.OBSCENITY),
        ("threat", Category.THREAT),
        ("dangerous", Category.RUDE),
    ],
)
def test_the_outputs_of_the_published_base_are_known(label, category):
    assert Category.of(label) is category


@pytest.mark.parametrize("label", ["LABEL_0", "", "spam"])
def test_a_foreign_label_is_none_of_ours(label):
    assert Category.of(label) is None
