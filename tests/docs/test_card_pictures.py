"""The pictures of cards in docs/cards are what the bot's cards look like now."""

from tests.card_pictures import CARDS, FOLDER, draw_cards
from tests.docs.page import DOCS

README = DOCS.parent / "README.md"


async def test_the_committed_pictures_are_what_make_pictures_draws() -> None:
    drawn = await draw_cards()
    assert {path.stem for path in FOLDER.iterdir()} == set(drawn)
    for name, picture in drawn.items():
        assert (FOLDER / f"{name}.svg").read_text("utf-8") == picture, f"run make pictures: {name}"


def test_the_readme_shows_every_picture() -> None:
    text = README.read_text("utf-8")
    assert [name for name in CARDS if f"docs/cards/{name}.svg" not in text] == []
