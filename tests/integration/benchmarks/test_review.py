"""`make bench-review` plays its recording: real repositories, the product's reviewers, checks and consensus."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest
from benchmarks.review.__main__ import ABOUT, RECORDED, TALKS, main
from benchmarks.review.changes import digest, read_cases
from benchmarks.review.packed import unpack
from model_server import ModelServer
from record_review import CHANGES, drawn

from callboard.agents.brains.recording import Recording

FEW = ("--cases", "4", "--seed", "1", "--together", "2")


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The figures of a few recorded changes."""
    out = tmp_path_factory.mktemp("played") / "review.json"
    assert main([*FEW, "--out", str(out)], {}) == 0
    return out


def test_a_few_changes_are_judged_by_one_and_by_three(played: Path) -> None:
    found = json.loads(played.read_text())
    assert found["models"] == {"senior": "model-a", "junior-1": "model-b", "junior-2": "model-c"}
    assert (found["recorded"], found["seed"], found["whole"], len(found["cases"])) == (True, 1, True, 4)
    buggy = [case for case in found["cases"] if case["buggy"]]
    stopped = [case for case in buggy if case["votes"]["senior"] == "needs_revision"]
    assert (found["senior_alone"]["buggy"], found["senior_alone"]["caught"]) == (2, len(stopped))
    sent_back = [case for case in buggy if case["outcome"] in ("fixes", "major_flaws", "blocked")]
    assert found["trio"]["caught"] == len(sent_back)
    assert {case["second_round"] for case in found["cases"]} == {True, False}
    for case in found["cases"]:
        assert "abstained" not in case["votes"].values(), (
            "what was recorded is about another change: make record-review"
        )


def asked_of(server: ModelServer, folder: Path) -> list[str]:
    """What asks that server's models for two changes."""
    config = (RECORDED / "callboard.toml").read_text()
    text = config.replace('"anthropic"', '"openai"').replace("http://127.0.0.1:9", f"{server.url}/v1")
    (folder / "callboard.toml").write_text(text)
    return [
        *("--config", str(folder / "callboard.toml"), "--out", str(folder / "review.json")),
        *("--cases", "2", "--together", "1"),
    ]


def test_models_are_asked_only_after_a_yes_and_what_was_paid_is_not_paid_again(
    played: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An OpenAI-compatible server; the budget ends the first run in the middle."""
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with ModelServer(drawn(read_cases())) as server:
        argv = asked_of(server, tmp_path)
        assert main(argv, {}) == 2
        said = capsys.readouterr().err
        assert "2 changes, judged by senior model-a, junior-2 model-c, junior-1 model-b" in said
        assert "At most 10.00 USD (--usd) and 5,000,000 tokens" in said
        assert "say --yes" in said
        assert server.requests == 0
        assert main([*argv, "--yes", "--tokens", "1000"], {}) == 1
        before = server.requests
        assert 0 < before < 6
        said = capsys.readouterr().out
        assert "Stopped: the budget of this benchmark is spent" in said
        assert "The same command goes on where this ended" in said
        assert main([*argv, "--yes"], {}) == 0
        paid = [json.dumps(served.asked.body, sort_keys=True) for served in server.served]
        assert len(set(paid)) == len(paid), "nothing is asked twice"
        asked, recorded = json.loads((tmp_path / "review.json").read_text()), json.loads(played.read_text())
        assert asked["calls"] == server.requests >= 6
        assert asked["tokens"] == server.tokens.input + server.tokens.output
    assert "tokens and 0.00 USD of that are used already" in capsys.readouterr().err
    assert (asked["recorded"], asked["config"]) == (False, str(tmp_path / "callboard.toml"))
    assert len(asked["cases"]) == 2
    assert all(case in recorded["cases"] for case in asked["cases"]), "as the same words, played"
    assert not (tmp_path / "review.kept").exists()


def test_every_change_is_in_the_recording(tmp_path: Path) -> None:
    assert (RECORDED / CHANGES).read_text().strip() == digest(read_cases()), "stale: make record-review"
    unpack(RECORDED / TALKS, tmp_path / "talks")
    asked = {(talk.about.agent, talk.about.key): talk.about.asked for talk in Recording(tmp_path / "talks").talks()}
    for case in read_cases():
        for agent in ("senior", "junior-1", "junior-2"):
            assert asked.get((agent, case.spec.key)) == case.spec.digest, "stale: make record-review"


def test_a_spent_budget_ends_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--cases", "2", "--together", "1", "--tokens", "1", "--out", str(tmp_path / "review.json")], {}) == 1
    shown = capsys.readouterr().out
    assert "no model said this" in shown
    assert "0 of 2 changes were judged.\nStopped: the budget of this benchmark is spent" in shown
    assert json.loads((tmp_path / "review.json").read_text())["whole"] is False


def test_a_recording_that_says_nothing_gives_no_answers_and_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(RECORDED, tmp_path / "recorded")
    (tmp_path / "recorded" / TALKS).write_text("")
    (tmp_path / "recorded" / ABOUT).write_text("nothing")
    (tmp_path / "recorded" / TALKS).unlink()
    (tmp_path / "recorded" / TALKS).mkdir()
    argv = [
        "--cases",
        "2",
        "--together",
        "1",
        "--recorded",
        str(tmp_path / "recorded"),
        "--out",
        str(tmp_path / "review.json"),
    ]
    assert main(argv, {}) == 1
    assert "no answer, 1 times: senior: nothing that senior said on" in capsys.readouterr().out
    assert json.loads((tmp_path / "review.json").read_text())["trio"]["unanswered"] == 2


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("", "0 reviewers; a review needs 3"),
        ("MODELS", "takes its key from NOBODY_SET_THIS, which is not set"),
    ],
)
def test_a_file_that_nobody_could_judge_with_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lines: str, said: str
) -> None:
    config = (RECORDED / "callboard.toml").read_text().replace('family = "a"', 'api_key_env = "NOBODY_SET_THIS"')
    (tmp_path / "callboard.toml").write_text(config if lines else '[project]\ngate = ["true"]\n')
    argv = ["--cases", "2", "--config", str(tmp_path / "callboard.toml"), "--out", str(tmp_path / "review.json")]
    assert main(argv, {}) == 2
    assert said in capsys.readouterr().err
