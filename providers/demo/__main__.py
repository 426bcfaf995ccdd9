"""Runs the demo provider alone: `python -m providers.demo --port 8001`."""

import argparse
import asyncio
import signal

from providers.demo.server import build_server


async def serve(host: str, port: int) -> None:
    server = build_server(host, port)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, setattr, server, "should_exit", True)
    await server.serve()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m providers.demo", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001)
    options = parser.parse_args()
    asyncio.run(serve(options.host, options.port))


if __name__ == "__main__":
    main()
