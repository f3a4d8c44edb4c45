"""When a run is promoted, and what becomes of it on the board."""

from __future__ import annotations

from desk_board import Desk, Heard, spec

from callboard.bus.messages import CommandHandled, PromotionChanged, PromotionFinished, PromotionRequested

URL = "https://github.example/o/r/pull/1"


def landed(*, promotes: bool = False) -> tuple[Desk, Heard]:
    """A run that has just succeeded."""
    desk = Desk(promotes=promotes)
    desk.directions(spec("one"))
    return desk, desk.to_landed("T-1")


def requests(heard: Heard) -> list[PromotionRequested]:
    return heard.of(PromotionRequested)


def test_without_a_word_a_person_promotes() -> None:
    _, heard = landed()
    assert requests(heard) == []


def test_a_run_that_may_be_promoted_is_by_itself_once_where_callboard_toml_says_so() -> None:
    desk, heard = landed(promotes=True)
    assert requests(heard) == [PromotionRequested(command="")]
    assert requests(desk.person("resume")) == []


def test_what_lands_later_is_promoted_too() -> None:
    desk, _ = landed(promotes=True)
    desk.directions(spec("one"), spec("two"))
    assert len(requests(desk.to_landed("T-2"))) == 1


def test_a_run_that_may_not_be_promoted_waits() -> None:
    desk = Desk(promotes=True)
    desk.directions(spec("one"), spec("two", "driver-2", budget={"attempts": 1}))
    desk.fail("T-2")
    assert requests(desk.to_landed("T-1")) == []


def finished(**values: object) -> PromotionFinished:
    return PromotionFinished.model_validate({"command": "c", "ok": True, "target": "main", "new": "a" * 40, **values})


def test_an_open_pull_request_moves_nothing_yet_and_is_on_the_board() -> None:
    desk, _ = landed()
    heard = desk.hear(finished(pull_request=URL, new=desk.run.head), "land")
    assert (desk.run.promoted, desk.run.pull_request) == ("", URL)
    assert heard.of(PromotionChanged) == []
    assert heard.reply.ok
    assert heard.reply.text.startswith(f"{URL} offers {desk.run.head[:12]} for main")
    assert any("pull request is open" in entry for entry in heard.logged)


def test_a_merged_pull_request_is_a_promotion() -> None:
    desk, _ = landed()
    heard = desk.hear(finished(pull_request=URL, is_merged=True, new=desk.run.head), "land")
    assert desk.run.promoted == desk.run.head
    assert heard.one(PromotionChanged).new == desk.run.head
    assert heard.reply.text == f"promoted main: {desk.run.head[:12]} by {URL}"


def test_what_the_manager_could_not_promote_by_itself_is_on_the_board_and_in_its_log() -> None:
    desk, _ = landed(promotes=True)
    heard = desk.hear(finished(command="", ok=False, reason="GitHub refused the token"), "land")
    assert desk.run.detail == "not promoted: GitHub refused the token"
    assert any("not promoted\nGitHub refused the token" in entry for entry in heard.logged)
    assert heard.of(CommandHandled) == []
    assert desk.run.state == "succeeded"
