"""OpenAI's chat completions. Source: types of the `openai` package 3.54 (November 2026)."""
