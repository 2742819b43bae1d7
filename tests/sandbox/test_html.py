import pytest

from sandbox.html import HtmlError, parse


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("<b>да</b>", "да", [{"type": "bold", "offset": 0, "length": 2}]),
        ("<strong>a</strong>", "a", [{"type": "bold", "offset": 0, "length": 1}]),
        ("<i>a</i>", "a", [{"type": "italic", "offset": 0, "length": 1}]),
        ("<ins>a</ins>", "a", [{"type": "underline", "offset": 0, "length": 1}]),
        ("<del>a</del>", "a", [{"type": "strikethrough", "offset": 0, "length": 1}]),
        ("<tg-spoiler>a</tg-spoiler>", "a", [{"type": "spoiler", "offset": 0, "length": 1}]),
        ("<span class='tg-spoiler'>a</span>", "a", [{"type": "spoiler", "offset": 0, "length": 1}]),
        ("<code>a</code>", "a", [{"type": "code", "offset": 0, "length": 1}]),
        (
            '<pre><code class="language-python">a</code></pre>',
            "a",
            [{"type": "pre", "offset": 0, "length": 1, "language": "python"}],
        ),
        (
            "<blockquote expandable>a</blockquote>",
            "a",
            [{"type": "expandable_blockquote", "offset": 0, "length": 1}],
        ),
        (
            '<a href="https://example.org/?a=1&amp;b=2">a</a>',
            "a",
            [
                {
                    "type": "text_link",
                    "offset": 0,
                    "length": 1,
                    "url": "https://example.org/?a=1&b=2",
                }
            ],
        ),
        (
            '<a href="tg://user?id=7">a</a>',
            "a",
            [{"type": "text_mention", "offset": 0, "length": 1, "user": {"id": 7}}],
        ),
        ("<b></b>пусто", "пусто", []),
        ("1 &lt; 2 &amp;&quot; &#1078; &#x436; &nbsp;", '1 < 2 &" ж ж &nbsp;', []),
    ],
)
def test_markup_becomes_entities(source, text, entities):
    assert parse(source) == (text, entities)


def test_offsets_count_utf16_units():
    _, entities = parse("😀<b>😀</b>")

    assert entities == [{"type": "bold", "offset": 2, "length": 2}]


def test_the_outer_entity_comes_first():
    _, entities = parse("<b>один <i>два</i></b>")

    assert [entity["type"] for entity in entities] == ["bold", "italic"]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("<b>a", 'Can\'t find end tag corresponding to start tag "b"'),
        ("a</b>", "Unexpected end tag at byte offset 1"),
        ("я<div>", 'Unsupported start tag "div" at byte offset 2'),
        ("я < 2", "Unclosed start tag at byte offset 3"),
        ("<b>a</b", "Unclosed end tag at byte offset 4"),
        (
            "<b>a</i>",
            'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"',
        ),
        ("<span>a</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
    ],
)
def test_broken_markup_is_refused_in_telegrams_words(source, reason):
    with pytest.raises(HtmlError) as refusal:
        parse(source)

    assert str(refusal.value) == reason
