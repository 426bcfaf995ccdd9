"""The bundled demo provider: a real server speaking OpenAI's format, with adjustable delays and failures."""
