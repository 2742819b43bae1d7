from moderation import golden, registry
from moderation.classifier import TorchClassifier


def test_the_embedded_model_judges_every_golden_text_rightly():
    assert golden.failures(TorchClassifier(registry.EMBEDDED, "cpu")) == []


def test_a_model_of_random_weights_fails(tiny_model):
    found = golden.failures(TorchClassifier(tiny_model, "cpu"))
    assert found
    assert {name.split()[0] for name in found} <= {"clean", "abusive"}
