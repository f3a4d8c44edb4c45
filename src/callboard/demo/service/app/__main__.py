"""Serve until stopped: python3 -m app --port 8080."""

import argparse

from app.server import Service


def main() -> None:
    parser = argparse.ArgumentParser(prog="app")
    parser.add_argument("--port", type=int, default=8080, help="0 takes a free one")
    service = Service(parser.parse_args().port)
    print(f"listening on {service.address}", flush=True)
    service.serve_forever()


if __name__ == "__main__":
    main()
