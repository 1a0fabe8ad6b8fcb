"""Serve a simulated Codat until interrupted: `python -m codat_simulator --port 8765 --companies 3`."""

from __future__ import annotations

import argparse
import signal
import threading

from codat_simulator.server.simulator import DEFAULT_KEY, Simulator


def main() -> None:
    """Serve as the command line says."""
    parser = argparse.ArgumentParser(prog="codat_simulator", description="A Codat on loopback.")
    parser.add_argument("--port", type=int, default=8765, help="port to listen on (0: a free one)")
    parser.add_argument("--companies", type=int, default=3, help="number of companies")
    parser.add_argument("--seed", type=int, default=7, help="seed of the generated records")
    parser.add_argument("--records", type=int, default=40, help="records per company and data type, roughly")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that each answer takes")
    parser.add_argument("--api-key", default=DEFAULT_KEY, help="the key that is let in")
    parser.add_argument(
        "--synthetic",
        action="append",
        default=[],
        metavar="TYPE=COUNT[xSIZE]",
        help="replace a data type of every company by COUNT like records of SIZE bytes",
    )
    given = parser.parse_args()
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    simulator = Simulator(
        given.companies, given.seed, given.records, given.api_key, given.port, given.latency
    )
    for spec in given.synthetic:
        data_type, _, count = spec.partition("=")
        number_of, _, size = count.partition("x")
        for company in simulator.world.known_companies():
            if company.supporting(data_type):
                simulator.world.add_synthetic(company.id, data_type, int(number_of), int(size or 2400))
    with simulator:
        print(f"Codat simulator on {simulator.url}", flush=True)
        print(f"API key: {simulator.api_key}", flush=True)
        done.wait()


if __name__ == "__main__":
    main()
