"""Pydantic AI."""

from typing import Any

from common import KEY, URL, run_all, write_file
from pydantic_ai import Agent
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.google import GoogleProvider
from pydantic_ai.providers.openai import OpenAIProvider

openai = OpenAIProvider(base_url=f"{URL}/v1", api_key=KEY)
MODELS = {
    "chat": lambda name: OpenAIChatModel(name, provider=openai),
    "responses": lambda name: OpenAIResponsesModel(name, provider=openai),
    "messages": lambda name: AnthropicModel(name, provider=AnthropicProvider(base_url=URL, api_key=KEY)),
    "gemini": lambda name: GoogleModel(name, provider=GoogleProvider(base_url=URL, api_key=KEY)),
}


async def follow(_context: Any, events: Any) -> None:
    """With somebody who looks at the events, answers are streamed."""
    async for _ in events:
        pass


async def run(model: Any, prompt: str) -> str:
    agent = Agent(model, instructions="You write files.", tools=[write_file])
    return str((await agent.run(prompt, event_stream_handler=follow)).output)


run_all(MODELS, run)
