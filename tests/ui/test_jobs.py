"""A method in the background: its result, its fault, and its end when nobody waits."""

from __future__ import annotations

import dataclasses
import threading
import time

import numpy as np
import pytest

from core.frames import Frame
from core.ui import jobs
from core.ui.jobs import Job


def finished(job: Job) -> Job:
    for _ in range(200):
        job.wait(0.05)
        if not job.is_running:
            return job
    raise AssertionError("the job does not end")


@pytest.fixture
def frame() -> Frame:
    return Frame.from_array(np.arange(100.0).reshape(10, 10))


def test_a_result_comes_with_its_provenance(toy_method, frame):
    job = finished(Job(toy_method, frame, toy_method.params()))
    assert job.result.provenance.method == "stars.toy"
    assert (job.done, job.doing) == (0.5, "looking")
    assert job.error is None


def test_a_fault_is_kept_and_not_raised(toy_method):
    frame = Frame.from_array(np.full((4, 4), 252.0))
    job = finished(Job(toy_method, frame, toy_method.params()))
    assert isinstance(job.error, ZeroDivisionError)
    assert job.result is None


def endless(started):
    def analyse(frame, params, progress):
        while True:
            progress(0.1, "on and on")
            started.set()
            time.sleep(0.01)

    return analyse


def test_it_ends_when_it_is_stopped(toy_method, frame):
    started = threading.Event()
    job = Job(dataclasses.replace(toy_method, analyse=endless(started)), frame, toy_method.params())
    started.wait(5)
    job.stop()
    assert finished(job).result is None
    assert job.error is None


def test_it_ends_when_nobody_waits_any_more(toy_method, frame, monkeypatch):
    monkeypatch.setattr(jobs, "FORSAKEN_SECONDS", 0.2)
    job = Job(dataclasses.replace(toy_method, analyse=endless(threading.Event())), frame, toy_method.params())
    for _ in range(200):
        if not job.is_running:
            break
        time.sleep(0.05)
    assert not job.is_running
