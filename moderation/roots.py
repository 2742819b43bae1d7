"""Obscene and insulting Russian words, by which a disguise is told from a harmless oddity."""

import re

# Harmless words that a reading of Latin letters would take for abuse: English, names, brands, code.
_FOREIGN = re.compile(
    r"(?:bala|beach|blin|bosch|chert|cop|duras?|durak|durr|eban|ebal|ebnf?|gad|gadina|goi"
    r"|hach[ai]?|hero?|her[as]|here|hereby|hep|herb|herd|herz|hoho|hued?|hues|huey|huh|hul[ai]|hulk"
    r"|huya|kal|kozel|lohan|lo[hx]|mand[ay]|muda|mudd|nah|pedro|rot|suki|svin|tup|tupi|vata|xer"
    r"|xyz|gomik|kurva|bomzh|sran|jids?|zhid|petuh)$"
    r"|[a-z]?s?scal|cca|cra|sran|ssyt|i?job|padd?l|degenerat|type|cert|proxy|xyin|huynh|hebr"
    r"|sucka|e+b(?:[bcefimqsy]|o[lno]|unch|a$|ay|e[anrz])|[au]+e+b|ueb|eeb|priebe|yobi|iopt|xue"
    r"|chmod|qry|ent|cpal|spald|mydict|huge|syke|eye|xerr|hui[it]|dau[np]|imbecil",
    re.IGNORECASE,
)

# Prefixes that can stand before an obscene root. Without this anchor «употреблять» and «застрахуй»
# would be obscene; so the roots of «себе», «небо» and «хлеба» need the sign after a consonant.
_OPEN = r"(?:не|ни|на|за|по|до|у|вы|о|а|про|при|пере|недо|полу|е|и)"
_CLOSED = r"(?:об|от|под|раз|рас|с|в|вз|из|ис|над)"
_HARD = rf"(?:{_OPEN}|{_CLOSED}[ъь]){{0,2}}"
_ANY = rf"(?:{_OPEN}|{_CLOSED}[ъь]?){{0,2}}"

_OBSCENE = (
    rf"{_ANY}ху(?:[йяю]|е|ил[аоу]|ит|и$|ли$|ле$)",
    rf"{_ANY}п[ие][зс]д(?!ик)",
    rf"{_HARD}еб(?:[алнуыокцтшсьюяч]|и(?!л)|е(?!й)|$)",
    r"(?:долб|мозг|жоп|коз|скот|туп|хер|муд|зло|кон)[оаье]?еб",
    rf"бля(?:$|т$|т[ьс])|{_ANY}бляд|выбляд",
    rf"{_ANY}муд(?:а(?:к|ч|$)|ил|о[хзтежшо]|ист|ик|ень$|ня$|ищ)",
    rf"{_ANY}манд(?:[ауые]$|ой$|ав[^р]|юк|ов[аы]|ох|ец$)",
    rf"{_ANY}залуп",
    r"г[ао]ндон",
    rf"{_ANY}дроч",
    r"(?:за|о|до|рас|с|вы)?п[ие]д[оа]р(?!а?с[тк]|и[ей])|пидр(?:$|и?л|ю)|педрил|педераст",
    r"(?:е|йо)п(?:т|ана)",
    r"пздц",
)
_INSULTING = (
    r"с?сук(?:[аиуе]|ой|ам|ами|ах|ин\w*)$|суч(?:к[аиуе]|ара|ары|онок|ий|ья|ье)$",
    r"(?:по|на|ни|до|о|за)?хер(?:[ау]?$|н[яюие]|ов|ач|еть)",
    r"(?:об|за|на|у|по|ис|про)?(?:срат[ьс]|сра[лн]|сс(?:ал|ан[ыоа]|ыт|ышь|ыкл)|обосс)|говн|дерьм|(?:за|под)?жоп",
    r"дур(?:ак|ач|ынд|[аыу]$|ой$|ень)|дебил|идиот|кретин|имбецил|дегенерат|олигофрен|даун[аыу]?$",
    r"(?:не)?долбан|придур|недоум(?:ок|к)|тупиц|туп(?:ой|ая|ые|ое|орыл\w*)$|безмозгл",
    r"уе?бищ|ублюд|вы[рб]одо?к|урод(?:[ыау]?$|ом$|ов$|к[аиу]|ин|ск|ищ|лив)",
    r"твар(?:[ьи]|ью|ям|ина|ины|ей)$|мраз(?:[ьи]?$|ью|от|ин)|гнид|падл|сволоч|скотин|паскуд|гаден",
    r"шл[юу]х|шалав|прошмандов|потаскух|проститутк|курв|давалк",
    r"чмо|чмыр|быдл|лох(?:[иау]?$|ов$|ом$|ушк)|козел|козл|петух|свинь|крыс",
    r"задрот|дрищ|отбросы?$|лошар|гопник|алкаш|бомж|ничтожеств|клоун",
    r"хохл|хохол|укроп|кацап|москал|пиндос|русн|чур(?:к[аиу]|банд|ок$)|чурек|хач(?:$|и|у|ей)",
    r"жид(?:[ыау]?$|ов|яр)|ниг+ер|черномаз|черножоп|узкогл|косоглаз|обезьян",
    r"гом(?:ик|осек(?!с)|осят)|пед(?:ик|о$|охн)|лесбух",
    r"заткни(?:сь|тесь)?|отвали(?:те)?$|отсос|соси$|сдохн|сдох|подохн|убью|убей|зареж|прирежу|придуш",
)
_OBSCENITY = re.compile("|".join(_OBSCENE))
_ROOT = re.compile("|".join((*_OBSCENE, *_INSULTING)))
_HARMLESS = re.compile(
    r"ебург|ебук|ебай$|ебон|ебол|ебит$|[пс]?[ао]?[сп]ухую|сухуе|ссыл|херувим|чмок|педикюр|педагог|петухов|козлов"
    r"|клоунад|укропн"
)
# The same words in Ukrainian, and words of it that only begin like obscene ones.
_SHARED = re.compile(
    r"идиот|дебил|ублюд|кретин|дегенерат|имбецил|засран|чмошн|мудач|гомик|гомос|шлюх|дурак"
    r"|москал(?:и|ив|ям|ями|ях)$"
)
_NEARBY = re.compile(r"п[ие]дор(?:в|л|ож)|пидри|\w{0,4}прохуе|видроч|нигер|епт|еби(?:$|н)")

# What stands behind the stars, most frequent first.
_MASKED = tuple(
    """
    хуй хуя хую хуем хуи хуйня хуйню хуйни хуйло хуёвый хуёво хуета нахуй похуй нахуя нихуя дохуя
    охуел охуели охуеть охуенно охуенный ахуеть ахуел хуесос
    пизда пизды пизду пизде пиздец пиздеца пиздить пиздит пиздеть пиздёж спиздил спиздили пиздатый
    пиздато распиздяй пиздюк пиздюлей
    ебать ебал ебало ебаный ебаная ебаное ебаные ебут ебёт ебись ебанутый ебанутая ебануться еблан
    ебаната заебал заебала заебали заебись наебал наебали наебать отъебись отъебитесь доебался
    проебала насрать срал
    уебан уёбок уебки уебище уёбище выебу выебал съебись проебал разъебал долбоёб долбоёба долбоёбы
    блять блядь бляди блядский блядина бля
    мудак мудаки мудака мудила муда мудозвон гандон гандоны гондон гондоны залупа дрочить дрочит
    пидор пидоры пидора пидоров пидорас пидорасы пидарас пидарасы
    сука суки суку суке сукой сукин сучка говно говна жопа жопу жопе жопы херня херню хер срать
    дурак дурачок дура дебил дебилы дебила идиот идиоты кретин урод уроды урода тварь твари мразь
    мрази шлюха шлюхи шлюху ублюдок ублюдки чмо быдло гнида сволочь козёл лох придурок
    хохол хохлы чурка чурки жиды жид нигер нигеры пиндосы хачи кацапы
    сдохни убью
    """.replace("ё", "е").split()
)
_KNOWN = frozenset(_MASKED)
MASKS = re.compile(r"[*@#$%&?!^~•●×+=_…]++|\.{2,}+|-{2,}+")
# Possessive: a row of stars could be taken apart in more ways than anybody can try.
_MASK = re.compile(rf"(?:[^\W\d_]++|{MASKS.pattern})++")
_DOTS = re.compile(r"\.\.|…|--")
_CONSONANTS = re.compile(r"[^\Wаеиоуыэюя]+")
_FIRST = ("ху", "еб", "пи", "бля")  # how a word goes whose first letter may be hidden


def is_abusive(word: str) -> bool:
    """Whether `word`, in Cyrillic letters, begins with an obscene or insulting root."""
    lower = word.lower().replace("ё", "е")
    return bool(_ROOT.match(lower)) and not _HARMLESS.match(lower)


def is_obscene(word: str) -> bool:
    """Whether `word`, in Cyrillic letters, begins with an obscene root."""
    lower = word.lower().replace("ё", "е")
    return bool(_OBSCENITY.match(lower)) and not _HARMLESS.match(lower)


def is_known(word: str) -> bool:
    """Whether `word`, whole, is among the most frequent abusive ones."""
    return word.lower().replace("ё", "е") in _KNOWN


def is_abusive_nearby(word: str) -> bool:
    """Whether `word`, of a neighbouring language in Russian letters, is abuse there, too."""
    lower = word.lower().replace("ё", "е")
    if _NEARBY.match(lower):
        return False
    return is_obscene(lower) or lower in _KNOWN or bool(_SHARED.match(lower))


def is_foreign(word: str) -> bool:
    """Whether `word`, in Latin letters, is no Russian word though it could be read as abuse."""
    return bool(_FOREIGN.match(word))


def unmask(word: str) -> str | None:
    """The abusive word that signs hide in `word`: `х*й`, `п**дец`, `нае...ли`."""
    lower = word.lower().replace("ё", "е")
    runs = MASKS.findall(lower)
    if not 0 < len(runs) <= 3 or not _MASK.fullmatch(lower) or not _shows_enough(lower):
        return None
    hidden = lower.startswith(runs[0])
    shape = re.compile(MASKS.sub(_hidden, lower))
    for known in _MASKED:
        if shape.fullmatch(known) and (not hidden or known.startswith(_FIRST)):
            return known
    return None


def _shows_enough(word: str) -> bool:
    """Whether enough letters of a masked word are left to tell it from an ellipsis or a note."""
    first, *_ = MASKS.split(word)
    shown = len(MASKS.sub("", word))
    if _DOTS.search(word):
        return shown >= 2 and first != word[:-2] and bool(_CONSONANTS.fullmatch(first) or shown > 4)
    return shown > 1 or (word[0] in "бемпх" and word[1:3] == "**")


def _hidden(run: re.Match[str]) -> str:
    length = len(run[0])
    if run[0][0] in ".…-":
        return r"\w{1,4}"
    return r"\w" if length == 1 else rf"\w{{{length - 1},{length + 1}}}"
