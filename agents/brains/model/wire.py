"""One model at its provider, over the provider's own SDK."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Final

from pydantic_ai import direct
from pydantic_ai.exceptions import AgentRunError, UserError
from pydantic_ai.messages import ModelResponse, PartDeltaEvent, PartStartEvent, TextPart, TextPartDelta
from pydantic_ai.models import Model
from pydantic_ai.settings import ModelSettings as RequestSettings

from callboard.agents.brains.budget import MAX_TOKENS, NOTHING, Budget, CallEstimate, Reservation, Usage
from callboard.agents.brains.model.calling import Heard, ModelCall, Reply
from callboard.agents.brains.model.failures import failed
from callboard.agents.brains.prices import Prices
from callboard.agents.brains.settings import ModelSettings
from callboard.bus.errors import CallFailed

NO_KEY: Final = "none"
"""Given to servers that take no key; an empty one would make the SDKs look for another in the environment."""
URLS = {"anthropic": "https://api.anthropic.com", "openai": "https://api.openai.com/v1"}
"""Said rather than left out: else the SDKs take a server from the environment."""

Open = Callable[[], AbstractAsyncContextManager[Model]]


@asynccontextmanager
async def open_model(settings: ModelSettings, key: str | None) -> AsyncIterator[Model]:
    """The model, with connections of its own that are closed at the end; nothing is sent yet."""
    url = settings.base_url or URLS[settings.provider]
    opened = _anthropic if settings.provider == "anthropic" else _openai
    async with opened(settings, key or NO_KEY, url) as model:
        yield model


# Each SDK takes longer to import than everything else here: only the one that is spoken is.


@asynccontextmanager
async def _anthropic(settings: ModelSettings, key: str, url: str) -> AsyncIterator[Model]:
    from anthropic import AsyncAnthropic
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    async with AsyncAnthropic(api_key=key, base_url=url, max_retries=0) as client:
        yield AnthropicModel(settings.model, provider=AnthropicProvider(anthropic_client=client))


@asynccontextmanager
async def _openai(settings: ModelSettings, key: str, url: str) -> AsyncIterator[Model]:
    from openai import AsyncOpenAI
    from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
    from pydantic_ai.providers.openai import OpenAIProvider

    async with AsyncOpenAI(api_key=key, base_url=url, max_retries=0) as client:
        kind = OpenAIChatModel if settings.speaks == "chat" else OpenAIResponsesModel
        yield kind(settings.model, provider=OpenAIProvider(openai_client=client))


class OneModel:
    """A model that `[models.NAME]` names; one request per call, never tried again here.

    Args:
        name: NAME.
        budget: Where each request is reserved; None: nothing limits it.
        prices: What a call costs; None: nobody knows.
        open: How the model is reached; for tests with a model of pydantic-ai's own.
    """

    def __init__(
        self,
        name: str,
        settings: ModelSettings,
        key: str | None,
        *,
        budget: Budget | None = None,
        prices: Prices | None = None,
        open: Open | None = None,
    ) -> None:
        self.name = name
        self.settings = settings
        self._budget = budget
        self._prices = prices
        self._open = open or (lambda: open_model(settings, key))

    @property
    def retries(self) -> int:
        return self.settings.retries

    async def call(self, call: ModelCall, heard: Heard) -> Reply:
        reservation = await self._reserve(call)
        try:
            reply = await self._request(call, heard)
        except CallFailed as error:
            if error.is_free and reservation is not None and self._budget is not None:
                await self._budget.settle(reservation, NOTHING)
            raise
        return replace(reply, reservation=reservation.id) if reservation is not None else reply

    async def _reserve(self, call: ModelCall) -> Reservation | None:
        if self._budget is None:
            return None
        estimate = CallEstimate(
            task=call.task,
            model=self.settings.priced_as,
            input_tokens=call.estimated_tokens,
            max_output_tokens=self.settings.max_tokens,
        )
        return await self._budget.reserve(estimate)

    async def _request(self, call: ModelCall, heard: Heard) -> Reply:
        began = time.monotonic()
        try:
            async with self._open() as model:
                response = await _stream(model, call, request_settings(self.settings), heard)
        except (AgentRunError, UserError) as error:
            raise failed(self.name, error) from error
        usage = usage_of(response, Usage(call.estimated_tokens, self.settings.max_tokens))
        if self._prices is not None:
            usage = replace(usage, usd=self._prices.of(self.settings.priced_as, usage))
        return Reply(response, self.name, usage, duration_s=round(time.monotonic() - began, 3))


def request_settings(settings: ModelSettings) -> RequestSettings:
    """What goes with every request: prompt caching where the provider has it, and one try."""
    given = RequestSettings(
        max_tokens=settings.max_tokens,
        timeout=settings.timeout_s,
        request_timeout=settings.timeout_s,
        max_retries=0,
        cache=True,
    )
    if settings.temperature is not None:
        given["temperature"] = settings.temperature
    return given


async def _stream(model: Model, call: ModelCall, settings: RequestSettings, heard: Heard) -> ModelResponse:
    # where a schema cannot be enforced the prompt alone asks for it; what comes back is checked in any case
    is_enforced = bool(model.profile.get("supports_json_schema_output"))
    parameters = call.parameters if is_enforced or call.schema is None else replace(call, schema=None).parameters
    streaming = direct.model_request_stream(
        model, list(call.messages), model_settings=settings, model_request_parameters=parameters
    )
    async with streaming as stream:
        async for event in stream:
            match event:
                case PartStartEvent(part=TextPart(content=text)) if text:
                    await heard(text)
                case PartDeltaEvent(delta=TextPartDelta(content_delta=text)):
                    await heard(text)
                case _:
                    pass
        return stream.get()


def usage_of(response: ModelResponse, most: Usage) -> Usage:
    """What the server counted.

    Args:
        most: What counts where it says nothing, or what no call can have used: a negative number would give back what
            other calls have cost.
    """
    said = response.usage
    counts = (said.input_tokens, said.output_tokens, said.cache_read_tokens, said.cache_write_tokens)
    if not any(counts) or not all(0 <= count <= MAX_TOKENS for count in counts):
        return most
    return Usage(
        input_tokens=said.input_tokens,
        output_tokens=said.output_tokens,
        cached_tokens=said.cache_read_tokens,
        cache_write_tokens=said.cache_write_tokens,
    )
