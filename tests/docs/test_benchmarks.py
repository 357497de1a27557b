"""The database that a benchmark fills by itself, with SQL, is one that a sandbox can open."""

from pathlib import Path

import httpx
import pytest

from benchmarks.analytics import filled
from benchmarks.servers import SANDBOX, running

COUNT = 50

pytestmark = pytest.mark.live


def test_analytics_and_history_count_the_messages_of_a_filled_database(tmp_path: Path) -> None:
    file = filled(tmp_path / "filled.db", COUNT)
    with running(SANDBOX, "/_sandbox/health", "--database", str(file)) as (port, _, _):
        api = f"http://127.0.0.1:{port}/api/v1/developers"
        with httpx.Client(base_url=api, headers={"X-Api-Key": "bench"}) as client:
            daily = client.get("/analytics/daily", params={"days": 90}).json()
            history = client.get("/sms/history", params={"limit": 5}).json()
    assert sum(day["sms"]["delivered"] for day in daily["data"]) == COUNT, daily
    assert history["total"] == COUNT, history
