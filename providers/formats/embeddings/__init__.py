"""Embeddings: OpenAI's form as clients speak it to us, and each form that we speak to providers."""
