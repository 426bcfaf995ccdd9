"""Anthropic Messages in both directions. Source: platform.claude.com/docs/en/api/messages, 2026-11-25."""
