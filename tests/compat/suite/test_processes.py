"""The process of the tests forks, as multiprocessing does on Linux."""

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor

import pytest
from conftest import NUMBER
from shop import Shop

from msgine_sandbox.testing import Account

BOTH = ["message.sent", "message.delivered"]
FORK = multiprocessing.get_context("fork")

# Python 3.12 warns of a fork in a process with threads: the receiver has one.
pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")


def text_from_worker(base_url: str, token: str, number: str) -> int:
    # urllib3 would share its connections with the process that forked.
    Shop(base_url, token, text_by="requests").text(number, f"Hello from {number}")
    return os.getpid()


def test_workers_text_and_the_tests_go_on(msgine, msgine_webhooks, shop):
    numbers = [f"+25670123450{i}" for i in range(4)]
    with ProcessPoolExecutor(2, mp_context=FORK) as pool:
        jobs = [
            pool.submit(text_from_worker, msgine.base_url, msgine.token, number)
            for number in numbers
        ]
        assert os.getpid() not in {job.result() for job in jobs}
    shop.text(NUMBER, "Hello")
    msgine.clock.advance(seconds=3)
    assert len(msgine.messages) == 5
    assert sorted(msgine_webhooks.events) == sorted(BOTH * 5)


def read_in_worker(ready, account: Account, text: str, results) -> None:
    ready.wait()
    results.put([account.messages[0].text == text for _ in range(200)])


def test_workers_and_the_test_use_the_client_at_once(msgine_server):
    accounts = [msgine_server.account() for _ in range(4)]
    for number, account in enumerate(accounts):
        Shop(account.base_url, account.token).text(NUMBER, f"Hello {number}")
        assert len(account.messages) == 1  # a connection is kept when the process forks
    ready, results = FORK.Barrier(len(accounts)), FORK.SimpleQueue()
    workers = [
        FORK.Process(target=read_in_worker, args=(ready, account, f"Hello {number}", results))
        for number, account in enumerate(accounts[1:], 1)
    ]
    for worker in workers:
        worker.start()
    read_in_worker(ready, accounts[0], "Hello 0", results)
    for worker in workers:
        worker.join(30)
    assert [worker.exitcode for worker in workers] == [0] * len(workers)
    assert [all(results.get()) for _ in accounts] == [True] * len(accounts)
