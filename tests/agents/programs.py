"""The agents: what they are, how they are told of the gateway, and how they are run without anybody at a screen.

`environment` and `files` are what anyone who uses them would set, word for word as the documents show it: with this
gateway's address, a model of the demo, and the key in GATEWAY_KEY. `quiet` is what only a machine without a network
needs: no telemetry, no look for news.
"""

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent
NODE = FOLDER / "node/node_modules"
DOCUMENTED_URL = "http://127.0.0.1:8000"
DOCUMENTED_MODEL = "demo/chat"
SURFACES = {
    "chat": "/v1/chat/completions",
    "responses": "/v1/responses",
    "messages": "/v1/messages",
    "gemini": "/v1beta/models",
}


BINARIES = {"opencode-ai": "opencode-linux-x64"}
"""Installed without the package that chooses among them: it asks for those of all systems, which mirrors may lack."""


@dataclass(frozen=True)
class Program:
    """`command` is asked with `{model}` and `{prompt}` filled in; a framework's with any number of runs at once.

    `files` stand below the home of whoever runs it. `reasons` says why a surface does not reach a wire format.
    """

    name: str
    package: str
    surfaces: tuple[str, ...]
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    quiet: Mapping[str, str] = field(default_factory=dict)
    remark: str = ""
    is_framework: bool = False
    reasons: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """As it is locked."""
        locked = json.loads((FOLDER / "node/package-lock.json").read_text())["packages"]
        if found := locked.get(f"node_modules/{BINARIES.get(self.package, self.package)}"):
            return str(found["version"])
        text = "".join(path.read_text() for path in sorted(FOLDER.glob("*.lock")))
        line = re.search(rf"^{re.escape(self.package)}==(\S+)", text, re.MULTILINE)
        assert line, self.package
        return line[1]

    @property
    def is_installed(self) -> bool:
        return all(Path(word).exists() for word in self.command[:2] if word.startswith("/"))


def _python(name: str) -> str:
    return str(Path(sys.prefix) / f"agents-{name}/bin/python")


def _framework(name: str, package: str, script: str, *surfaces: str, **quiet: str) -> Program:
    command = (_python("frameworks"), "-W", "ignore", str(FOLDER / f"frameworks/{script}.py"))
    return Program(name, package, surfaces, command, quiet=quiet, is_framework=True)


_CODEX = """\
model = "demo/chat"
model_provider = "gatehouse"

[model_providers.gatehouse]
name = "Gatehouse"
base_url = "http://127.0.0.1:8000/v1"
env_key = "GATEWAY_KEY"
wire_api = "responses"
"""
_CODEX_COMMAND = ("-c", "analytics.enabled=false", "-c", "check_for_update_on_startup=false", "exec")
_GEMINI = """\
{"security": {"auth": {"selectedType": "gemini-api-key"}}}
"""
_OPENCODE = """\
{
  "$schema": "https://opencode.ai/config.json",
  "model": "gatehouse/demo/chat",
  "provider": {
    "gatehouse": {
      "npm": "@ai-sdk/openai-compatible",
      "name": "Gatehouse",
      "options": {"baseURL": "http://127.0.0.1:8000/v1", "apiKey": "{env:GATEWAY_KEY}"},
      "models": {"demo/chat": {}}
    }
  }
}
"""
# Aider asks GitHub for prices and limits of models unless it has done so today.
_NO_PRICES = {".aider/caches/model_prices_and_context_window.json": '{"none": {}}'}
PROGRAMS: Mapping[str, Program] = {
    "codex": Program(
        "Codex CLI",
        "@openai/codex",
        ("responses",),
        (
            "node",
            str(NODE / "@openai/codex/bin/codex.js"),
            *_CODEX_COMMAND,
            "--skip-git-repo-check",
            "--dangerously-bypass-approvals-and-sandbox",
            "{prompt}",
        ),
        files={".codex/config.toml": _CODEX},
    ),
    "gemini-cli": Program(
        "Gemini CLI",
        "@google/gemini-cli",
        ("gemini",),
        (
            "node",
            str(NODE / "@google/gemini-cli/bundle/gemini.js"),
            *("--skip-trust", "--approval-mode", "yolo", "--model", "{model}", "--prompt", "{prompt}"),
        ),
        environment={"GOOGLE_GEMINI_BASE_URL": DOCUMENTED_URL, "GEMINI_API_KEY": "$GATEWAY_KEY"},
        files={".gemini/settings.json": _GEMINI},
        quiet={"GEMINI_TELEMETRY_ENABLED": "false", "NO_UPDATE_NOTIFIER": "1"},
        remark="The model is named by `gemini --model demo/chat`.",
    ),
    "claude-code": Program(
        "Claude Code",
        "@anthropic-ai/claude-code",
        ("messages",),
        (
            str(NODE / "@anthropic-ai/claude-code-linux-x64/claude"),
            *("--print", "--permission-mode", "acceptEdits", "{prompt}"),
        ),
        environment={
            "ANTHROPIC_BASE_URL": DOCUMENTED_URL,
            "ANTHROPIC_AUTH_TOKEN": "$GATEWAY_KEY",
            "ANTHROPIC_MODEL": DOCUMENTED_MODEL,
            "ANTHROPIC_DEFAULT_HAIKU_MODEL": DOCUMENTED_MODEL,
        },
        quiet={"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1"},
    ),
    "opencode": Program(
        "opencode",
        "opencode-ai",
        ("chat",),
        (str(NODE / "opencode-linux-x64/bin/opencode"), "run", "--pure", "--title", "agent", "{prompt}"),
        files={".config/opencode/opencode.json": _OPENCODE},
        quiet={
            "OPENCODE_DISABLE_AUTOUPDATE": "1",
            "OPENCODE_DISABLE_MODELS_FETCH": "1",
            "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
            "OPENCODE_DISABLE_DEFAULT_PLUGINS": "1",
            "npm_config_offline": "true",
        },
    ),
    "aider": Program(
        "aider",
        "aider-chat",
        ("chat",),
        (
            *(
                _python("aider"),
                "-W",
                "ignore",
                "-m",
                "aider",
                "--no-git",
                "--yes-always",
                "--map-tokens",
                "0",
            ),
            *("--no-check-update", "--analytics-disable", "--no-show-model-warnings", "--no-pretty"),
            *("--edit-format", "whole", "--message", "{prompt}", "hello.txt"),
        ),
        environment={
            "AIDER_OPENAI_API_BASE": f"{DOCUMENTED_URL}/v1",
            "AIDER_OPENAI_API_KEY": "$GATEWAY_KEY",
            "AIDER_MODEL": f"openai/{DOCUMENTED_MODEL}",
        },
        quiet={"LITELLM_LOCAL_MODEL_COST_MAP": "true"},
        remark="It calls no tools: it reads what to write to which file from the text of an answer.",
    ),
    "langgraph": _framework(
        "LangGraph",
        "langgraph",
        "langgraph_agent",
        *SURFACES,
        LANGSMITH_TRACING="false",
        LANGCHAIN_TRACING_V2="false",
    ),
    "openai-agents": _framework("OpenAI Agents SDK", "openai-agents", "openai_agent", "responses", "chat"),
    "pydantic-ai": _framework("Pydantic AI", "pydantic-ai-slim", "pydantic_agent", *SURFACES),
}
CACHED: Mapping[str, Mapping[str, str]] = {"aider": _NO_PRICES}
"""Files that a program would have fetched."""
