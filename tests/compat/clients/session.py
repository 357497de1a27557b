"""requests.Session, which keeps its connection; a session for each thread."""

import os
import random
import sys
import threading
import time

import requests

BODY = {"to": "+256701234567", "message": "Hello from Python"}
SENDS = int(os.environ["SENDS"])
PAUSES = float(os.environ["SHORTEST_PAUSE"]), float(os.environ["LONGEST_PAUSE"])


def send(session: requests.Session) -> str:
    """Return the status, or why there is none."""
    try:
        response = session.post(f"{os.environ['BASE_URL']}/messages/sms", json=BODY)
    except requests.RequestException as error:
        return f"lost: {error}"
    return str(response.status_code)


def send_all() -> None:
    """Send with pauses, all over one session."""
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {os.environ['TOKEN']}"
        for i in range(SENDS):
            sys.stdout.write(f"{send(session)}\n")
            if i < SENDS - 1:
                time.sleep(random.uniform(*PAUSES))


threads = [threading.Thread(target=send_all) for _ in range(int(os.environ["CONNECTIONS"]))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
