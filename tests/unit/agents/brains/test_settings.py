"""`[models.NAME]`: what follows from what is not said."""

from __future__ import annotations

import pytest

from callboard.agents.brains.settings import ModelSettings, Provider, Wire
from callboard.agents.settings import AgentSettings


@pytest.mark.parametrize(
    ("provider", "base_url", "wire"),
    [
        ("anthropic", None, "messages"),
        ("anthropic", "http://127.0.0.1:1", "messages"),
        ("openai", None, "responses"),
        ("openai", "http://127.0.0.1:1/v1", "chat"),
    ],
)
def test_the_wire_follows_from_provider_and_server(provider: Provider, base_url: str | None, wire: Wire) -> None:
    assert ModelSettings(provider=provider, model="m", base_url=base_url).speaks == wire


def test_a_wire_that_is_named_is_the_one_spoken() -> None:
    settings = ModelSettings(provider="openai", model="m", base_url="http://127.0.0.1:1/v1", wire="responses")
    assert settings.speaks == "responses"


def test_a_providers_key_goes_to_no_other_server() -> None:
    assert ModelSettings(provider="anthropic", model="m").key_env == "ANTHROPIC_API_KEY"
    assert ModelSettings(provider="openai", model="m").key_env == "OPENAI_API_KEY"
    elsewhere = ModelSettings(provider="openai", model="m", base_url="http://127.0.0.1:1/v1")
    assert elsewhere.key_env is None
    assert elsewhere.model_copy(update={"api_key_env": "MY_KEY"}).key_env == "MY_KEY"


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("claude-opus-4-5", "claude"),
        ("gpt-5.1-codex", "gpt"),
        ("o3-mini", "gpt"),
        ("anthropic/claude-sonnet-4", "claude"),
        ("Qwen2.5-Coder-32B", "qwen"),
        ("deepseek-r1-distill-qwen", "deepseek"),
        ("my-own", None),
    ],
)
def test_a_models_family_is_read_from_its_name(model: str, family: str | None) -> None:
    assert ModelSettings(provider="openai", model=model).known_family == family
    assert ModelSettings(provider="openai", model=model, family="ours").known_family == "ours"


def test_one_name_is_a_list_of_one() -> None:
    def driver(model: object) -> AgentSettings:
        return AgentSettings.model_validate({"name": "driver-1", "role": "driver", "model": model})

    assert driver("opus").model == ("opus",)
    assert driver(["opus", "gpt"]).model == ("opus", "gpt")
