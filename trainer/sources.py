"""Where training texts come from: origin, licence as stated, and how far the labels are trusted."""

from dataclasses import dataclass

_NO_LICENCE = "none stated"
_NC = "CC BY-NC-SA 4.0"


@dataclass(frozen=True, slots=True)
class Source:
    """A provenance; `trust` is the weight of its labels, 0 for texts without usable labels."""

    origin: str
    licence: str
    trust: float


UNLISTED = Source("given on the command line", _NO_LICENCE, 1.0)

_VYHUHOLL = "vyhuholl/russian_detoxification"
_PARADETOX = Source("s-nlp/russe_detox_2022", f"{_NO_LICENCE} (its model cards: {_NC})", 0.9)
_ALLAG = Source("alla-g/toxicity-detection-thesis", "MIT", 0.7)
_CLIPS = Source("clips/gsoc2019_crosslang", "GPL-3.0", 0.6)
_SARIELLEE = Source("Sariellee/Russan-Hate-speech-Recognition", "CC BY 4.0", 0.5)
_TRANSLATED = Source("petrsokerin/RuDetoxEval", _NO_LICENCE, 0.3)
_KOZIEV = Source("Koziev/NLP_Datasets", "CC0-1.0", 0.7)
_SNLP = "s-nlp/inappropriate-sensitive-topics"

# A name of the `source` column up to its colon. Trust: 0.9 human labels checked by several
# people, 0.7 one annotator or presumed clean, 0.5 unclear scale, 0.3 machine-made.
_SOURCES = {
    "kaggle_2ch_pikabu": Source("Kaggle blackmoon, 2ch and Pikabu", _NO_LICENCE, 0.8),
    "ruparadetox_toxic": _PARADETOX,
    "ruparadetox_neutral": _PARADETOX,
    "rudetoxifier_test10k": Source("s-nlp/rudetoxifier", f"MIT; ok.ru texts {_NC}", 0.8),
    "vyhuholl_test": Source(_VYHUHOLL, _NO_LICENCE, 0.8),
    "vyhuholl_parallel": Source(_VYHUHOLL, _NO_LICENCE, 0.8),
    "snlp_inappropriate_v1_ok": Source(_SNLP, _NC, 0.9),
    # Says that a text harms its author's reputation, which isn't rudeness.
    "snlp_inappropriate_v1_rude": Source(_SNLP, _NC, 0.0),
    "snlp_inappropriate_v1_disc_human": Source(_SNLP, _NC, 0.5),
    "snlp_inappropriate_v1_disc_auto": Source(_SNLP, _NC, 0.2),
    "snlp_sensitive_topics": Source(_SNLP, _NC, 0.0),
    "allag_vk": _ALLAG,
    "allag_vk_corrected": _ALLAG,
    "allag_train": _ALLAG,
    "allag_combined_okcup": Source(_ALLAG.origin, f"MIT; ok.ru texts {_NC}", 0.7),
    "bohdan_youtube": Source("bohdan1/AbusiveLanguageDataset", _NO_LICENCE, 0.7),
    "clips_sexism_vk": _CLIPS,
    "clips_sexism_forum": _CLIPS,
    "clips_vk_not_sexist": Source(_CLIPS.origin, _CLIPS.licence, 0.0),
    "rutoxicon": Source("smertlove/RuToxiCon", "MIT; research and education only", 0.9),
    "mera_ruhatespeech": Source("ai-forever/MERA", "MIT", 0.7),
    "micha_manual": Source("MichaBiriuchinskii/Hate_Speach_Project", _NO_LICENCE, 0.7),
    "sariellee_tweets": _SARIELLEE,
    "sariellee_southpark": _SARIELLEE,
    "uiqkos_okru_examples": Source("uiqkos/nyaural-nyatworks", f"{_NO_LICENCE}; {_NC}", 0.8),
    "pan_textdetox25_ru": Source("pan-webis-de/pan-code", "MIT; openrail++", 0.9),
    "alexomur_handmade": Source("alexomur/toxic-analyzer", "MIT", 0.9),
    "skoltech_paranmt_mt_toxic": _TRANSLATED,
    "skoltech_paranmt_mt_neutral": _TRANSLATED,
    "derived_cedr": Source("sag111/CEDR", "Apache-2.0", 0.7),
    "derived_goemotions_mt": Source("searayeah/ru-goemotions", "MIT", 0.6),
    "derived_koziev_jokes": _KOZIEV,
    "derived_koziev_short": _KOZIEV,
    "derived_sentirueval_tweets": Source("SentiRuEval 2015 and 2016", _NO_LICENCE, 0.6),
    "feedback": Source("moderators of the bot's groups", "the operator's own", 1.0),
    "own": Source("written for this project", "MIT", 1.0),
    "derived_xed_subtitles": Source("Helsinki-NLP/XED", "CC BY 4.0", 0.7),
}


def family(name: str) -> str:
    """The name of a source without its topics and without the mark of the unlabelled pool."""
    return name.partition(":")[0].removeprefix("pool_")


def source(name: str) -> Source:
    """The source that a row's `source` column names, `UNLISTED` if nothing is known of it."""
    return _SOURCES.get(family(name), UNLISTED)
