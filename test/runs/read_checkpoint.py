"""Prints what the reference implementation of safetensors reads from a file, as JSON.

    python3 read_checkpoint.py step-000001875.safetensors

Needs the packages safetensors and numpy.
"""

import hashlib
import json
import math
import sys

from safetensors import safe_open


def describe(array):
    return {
        "dtype": str(array.dtype),
        "shape": list(array.shape),
        "sum": math.fsum(array.ravel().tolist()),
        "sha256": hashlib.sha256(array.tobytes()).hexdigest(),
    }


with safe_open(sys.argv[1], framework="numpy") as file:
    tensors = {name: describe(file.get_tensor(name)) for name in file.keys()}
    json.dump({"metadata": file.metadata(), "tensors": tensors}, sys.stdout)
