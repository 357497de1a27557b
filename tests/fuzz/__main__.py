"""`make fuzz`: schemathesis calls a sandbox as the OpenAPI documents allow, and as they do not.

No answer may have a status above 499, or another status, type, header or body than the documents
say. The rate limit is off. One token is accepted, so that a call without it must be refused.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from msgine_sandbox.testing import Account, start

HERE = Path(__file__).parent
TOKEN = "test_fuzz"
FEWEST = 2000
"""Cases for each document."""
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
)
SHORT = 2


@dataclass(frozen=True)
class Target:
    """A document, and how it is called."""

    path: str
    examples: int
    """For each call, besides those that cover the limits of each field."""
    options: tuple[str, ...] = ()
    checks: tuple[str, ...] = CHECKS


TARGETS = (
    Target("/openapi.json", 60, checks=(*CHECKS, "ignored_auth")),
    # Events never end. Without a credential, a control call is about the whole sandbox.
    Target("/_sandbox/openapi.json", 40, options=("--exclude-path", "/_sandbox/events")),
)


def main() -> int:
    """Call everything, and return the exit status."""
    options = _options()
    outcomes = [_fuzz(target, options) for target in TARGETS]
    print(f"{sum(outcomes)} of {len(outcomes)} documents hold", flush=True)
    return 0 if all(outcomes) else 1


def _fuzz(target: Target, options: argparse.Namespace) -> bool:
    """Return whether all calls of one document are answered as it says."""
    began = time.monotonic()
    with start(tier="unlimited", token=(TOKEN,), strict_idempotency=True) as account:
        command = [
            options.schemathesis,
            *("run", account.origin + target.path),
            *("--header", f"Authorization: Bearer {TOKEN}"),
            *("--max-examples", str(SHORT if options.short else target.examples)),
            *("--checks", ",".join(target.checks)),
            *("--continue-on-failure", "--warnings", "off"),
            *target.options,
            *(("--seed", str(options.seed)) if options.seed is not None else ()),
        ]
        hooked = {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE)}
        ids = {"FUZZ_IDS": json.dumps(_ids(account))}
        ended = subprocess.run(
            command, env={**os.environ, **hooked, **ids}, capture_output=True, text=True
        )
    found = re.search(r"(\d+) generated", ended.stdout)
    cases = int(found[1]) if found else 0
    holds = ended.returncode == 0 and (options.short or cases >= FEWEST)
    if not holds:
        print(ended.stdout + ended.stderr, flush=True)
    took = time.monotonic() - began
    print(
        f"{target.path}: {'holds' if holds else 'FAILS'}, {cases} cases in {took:.0f} s", flush=True
    )
    return holds


def _ids(account: Account) -> dict[str, str]:
    """Make one of everything that has an id, and return these."""
    headers = {"Authorization": f"Bearer {account.token}"}
    # Nothing listens there: the attempt fails, and is one.
    body = {"to": "+256701234567", "message": "Hello", "callbackUrl": "http://127.0.0.1:1/"}
    sent = httpx.post(f"{account.base_url}/messages/sms", headers=headers, json=body)
    account.clock.advance(seconds=10)
    # For the API, a fault that no request meets; for the control API, any will do.
    fault = account.faults.fail(status=503, path="/nowhere")
    return {
        "messages": sent.json()["id"],
        "developers": sent.json()["id"],
        "requests": account.requests[0].id,
        "attempts": account.webhooks.attempts[0].id,
        "faults": fault.id,
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--short", action="store_true", help="few cases, in about a minute")
    parser.add_argument("--seed", type=int, help="the seed that an earlier run printed")
    parser.add_argument(
        "--schemathesis", required=True, help="the command, of an environment of its own"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
