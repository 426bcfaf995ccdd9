"""The hot path: one client call, stop by stop. asyncio only; what it needs from SQL is injected."""
