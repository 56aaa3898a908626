"""The bare loop: one `requests.Session.post` a number, and nothing else. The yardstick of everything that imports."""

import statistics
import subprocess
import sys
import time

import requests

from bench.telephones import ten_digits

ROUNDS, CALLS = 3, 1_000


def milliseconds(url: str) -> float:
    """CPU a call, in a process of its own: the median of a few rounds."""
    done = subprocess.run([sys.executable, "-m", "bench.bare", url], check=True, capture_output=True, text=True)
    return float(done.stdout)


def main() -> None:
    """Print the milliseconds."""
    url = f"{sys.argv[1]}/v1/users/u-1/phoneNumbers"
    session = requests.Session()
    properties = {"accountId": "9999999", "userName": "wileCoyote", "password": "catchThatBird"}
    provider = {"providerName": "bandwidth-dashboard", "properties": properties}

    def post(number: str) -> None:
        value = {"number": f"+1{number}", "applicationId": "a-1", "provider": provider}
        session.post(url, json=value, auth=("t-1", "s-1"), timeout=30).raise_for_status()

    post("9195551234")
    taken = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for number in ten_digits(CALLS):
            post(number)
        taken.append((time.process_time() - began) / CALLS * 1e3)
    print(statistics.median(taken))


if __name__ == "__main__":
    main()
