"""OpenAI's Agents SDK."""

from typing import Any

from agents import (
    Agent,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from common import KEY, URL, run_all, write_file
from openai import AsyncOpenAI

client = AsyncOpenAI(base_url=f"{URL}/v1", api_key=KEY)
MODELS = {
    "responses": lambda name: OpenAIResponsesModel(model=name, openai_client=client),
    "chat": lambda name: OpenAIChatCompletionsModel(model=name, openai_client=client),
}


async def run(model: Any, prompt: str) -> str:
    tools = [function_tool(write_file)]
    agent = Agent(name="writer", instructions="You write files.", model=model, tools=tools)
    result = Runner.run_streamed(agent, prompt)
    async for _ in result.stream_events():
        pass
    return str(result.final_output)


set_tracing_disabled(True)
run_all(MODELS, run)
