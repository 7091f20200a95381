"""What the Python peers share: the problem that lowerbound wrote, and the conversation with the driver (docs/peers.md)."""

import json
import math
import os
import sys
import time

import numpy


class Problem:
    """One training problem: parameters, batches, the noise of the first steps, Adam's factors."""

    def __init__(self, directory):
        with open(os.path.join(directory, "problem.json"), encoding="utf-8") as file:
            about = json.load(file)
        self.model = about["model"]
        self.batch_size = about["batchSize"]
        self.samples = about["samples"]
        self.latent = about["latent"]
        self.adam = about["adam"]
        self.inference = about.get("inference")

        def array(name, *shape):
            return numpy.fromfile(os.path.join(directory, name), dtype="<f4").reshape(shape)

        # [batches, batch, height, width, channels]
        self.x = array("x.f32", -1, self.batch_size, *about["input"])
        # [steps, batch, K, d]
        self.noise = array("epsilon.f32", -1, self.batch_size, self.samples, self.latent)
        flat = array("parameters.f32", -1)
        # Keras's layouts, by name, in the order of the layers.
        self.parameters = {
            entry["name"]: flat[entry["offset"] : entry["offset"] + entry["size"]].reshape(entry["shape"])
            for entry in about["parameters"]
        }


def answer(message):
    print(json.dumps(message), flush=True)


def serve(version, losses, run, processor_time=time.process_time):
    """Tells the losses of the first steps, then runs as many steps as each line of input asks for.

    `run(steps)` returns the last loss once all steps are computed; `processor_time()` is in seconds, of all threads.
    """
    answer({"version": version, "losses": losses})
    for line in sys.stdin:
        used = processor_time()
        start = time.perf_counter()
        loss = run(int(line))
        seconds = time.perf_counter() - start
        if not math.isfinite(loss):
            raise FloatingPointError(f"The loss is {loss} after {int(line)} steps.")
        answer({"seconds": seconds, "processorSeconds": processor_time() - used})
