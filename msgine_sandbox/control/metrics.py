"""The answer of `/_sandbox/metrics`."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from msgine_sandbox.asgi.routing import Resource, resource
from msgine_sandbox.services.metrics import Metrics, resident_memory
from msgine_sandbox.version import __version__

_MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
"""Source: Prometheus, "Exposition formats"."""


class Sample(NamedTuple):
    """One value of a metric, with its labels."""

    value: float
    labels: Mapping[str, str] = {}


class Family(msgspec.Struct, frozen=True):
    """A metric with its type and all of its values; the name of a counter ends in `_total`."""

    name: str
    kind: str
    text: str
    samples: Iterable[Sample]


class MetricsControl:
    """Answers a scrape."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    @property
    def resources(self) -> list[Resource]:
        """The path, below the root."""
        return [resource("/_sandbox/metrics", GET=self.get)]

    async def get(self, _: Request) -> Response:
        """Return metrics of the whole sandbox, in the text format of Prometheus."""
        text = "".join(line + "\n" for family in await self._families() for line in _lines(family))
        return Response(text, headers={"Content-Type": _MEDIA_TYPE})

    async def _families(self) -> list[Family]:
        metrics, memory = self._metrics, resident_memory()
        lag = await metrics.lag.largest()
        return [
            Family(
                "msgine_sandbox_info",
                "gauge",
                "The version that runs; always 1.",
                [Sample(1, {"version": __version__})],
            ),
            Family(
                "msgine_sandbox_requests_total",
                "counter",
                "Requests to the API by status; none where the connection was closed instead.",
                [
                    Sample(count, {"status": "none" if each is None else str(each)})
                    for each, count in metrics.requests.items()
                ],
            ),
            Family(
                "msgine_sandbox_messages_total",
                "counter",
                "Accepted messages by channel and by the status planned as their last.",
                [
                    Sample(count, {"channel": channel, "status": status})
                    for (channel, status), count in sorted(metrics.messages.items())
                ],
            ),
            Family(
                "msgine_sandbox_webhook_attempts_total",
                "counter",
                "Webhook attempts by outcome: a 2xx, another status, or no response.",
                [Sample(count, {"outcome": each}) for each, count in metrics.attempts.items()],
            ),
            Family(
                "msgine_sandbox_accounts",
                "gauge",
                "Accounts that are open.",
                [Sample(metrics.account_count)],
            ),
            Family(
                "msgine_sandbox_steps_due",
                "gauge",
                "Steps that are due and not yet performed, counted up to 10000.",
                [Sample(await metrics.steps_due())],
            ),
            Family(
                "msgine_sandbox_event_loop_lag_seconds",
                "gauge",
                "Longest delay of the event loop since the scrape before.",
                [Sample(lag)],
            ),
            Family(
                "process_resident_memory_bytes",
                "gauge",
                "Resident memory size in bytes.",
                [] if memory is None else [Sample(memory)],
            ),
        ]


def _lines(family: Family) -> Iterator[str]:
    """Return a metric as text. Label values are words and numbers, in which nothing is escaped."""
    yield f"# HELP {family.name} {family.text}"
    yield f"# TYPE {family.name} {family.kind}"
    for sample in family.samples:
        labels = ",".join(f'{name}="{value}"' for name, value in sample.labels.items())
        yield f"{family.name}{f'{{{labels}}}' if labels else ''} {sample.value!r}"
