"""LangGraph, with LangChain's model of each surface."""

from typing import Any

from common import KEY, URL, run_all, write_file
from langchain_anthropic import ChatAnthropic
from langchain_core.tools import tool
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_openai import ChatOpenAI
from langgraph.prebuilt import create_react_agent

MODELS = {
    "chat": lambda name: ChatOpenAI(model=name, base_url=f"{URL}/v1", api_key=KEY),
    "responses": lambda name: ChatOpenAI(
        model=name, base_url=f"{URL}/v1", api_key=KEY, use_responses_api=True
    ),
    "messages": lambda name: ChatAnthropic(model=name, base_url=URL, api_key=KEY),
    "gemini": lambda name: ChatGoogleGenerativeAI(model=name, base_url=URL, api_key=KEY),
}


async def run(model: Any, prompt: str) -> str:
    agent = create_react_agent(model, [tool(write_file)])
    asked = {"messages": [("system", "You write files."), ("user", prompt)]}
    pieces = [piece.text async for piece, _ in agent.astream(asked, stream_mode="messages")]
    return "".join(pieces)


run_all(MODELS, run)
