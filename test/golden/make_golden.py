#!/usr/bin/env python3
"""Writes golden.json: loss terms and gradients of four small training problems, by PyTorch's autograd.

    python3 -m venv .venv
    .venv/bin/pip install torch==2.15.0 numpy==2.4.6
    .venv/bin/python test/golden/make_golden.py --output test/golden/golden.json
    npx biome check --write test/golden/golden.json

The golden numbers are computed in float64; beside them stands what float32 gives on one thread, which depends on
the processor and on PyTorch's version: it shows the size of float32's errors and is not to be matched.

Parameters, data and noise come from the formula of formula.ts, in integers, so that no arrays need to be stored.
Nothing else is shared with the TypeScript side: the models, the geometry of their convolutions, the loss and its
gradients are stated here once more, in PyTorch's own terms (torch.distributions for the KL, binary cross-entropy
for the likelihood, padding and cropping for TensorFlow's convention, NCHW in place of NHWC).
"""

import argparse
import json
import math

import numpy
import torch
from torch.distributions import Normal, kl_divergence
from torch.nn import functional

EXAMPLES = 3
DATA_STREAM = 1000
NOISE_STREAM = 1001


# The formula of formula.ts


def hash32(stream, counters):
    """MurmurHash3's final mix over a counter in a stream: 32 bits, as an array of int64."""
    mask = numpy.uint64(0xFFFFFFFF)

    def times(a, b):
        return (a * numpy.uint64(b)) & mask

    h = times(numpy.asarray(counters, dtype=numpy.uint64), 0x9E3779B1)
    h ^= numpy.uint64(((stream + 1) * 0x85EBCA77) & 0xFFFFFFFF)
    h = times(h ^ (h >> numpy.uint64(16)), 0x85EBCA6B)
    h = times(h ^ (h >> numpy.uint64(13)), 0xC2B2AE35)
    return (h ^ (h >> numpy.uint64(16))).astype(numpy.int64)


def weight_exponent(shape):
    """The least e with 6 * 4**e >= fanIn + fanOut."""
    fans = math.prod(shape[:-2]) * (shape[-2] + shape[-1])
    exponent = 0
    while 6 * 4**exponent < fans:
        exponent += 1
    return exponent


def golden_parameter(stream, shape, gain):
    limit = 0.125 if len(shape) == 1 else gain * 2.0 ** -weight_exponent(shape)
    h = hash32(stream, numpy.arange(math.prod(shape)))
    return (2 * limit * (((h >> 8) - 2**23) / 2**24)).reshape(shape)


def golden_data(shape, grey):
    height, width, channels = shape
    h = hash32(DATA_STREAM, numpy.arange(EXAMPLES * math.prod(shape)))
    ink = ((h >> 8) & 0xFF) / 256 if grey else numpy.ones(len(h))
    x = numpy.where(h >> 30 == 0, ink, 0.0).reshape(EXAMPLES, height, width, channels)
    top, left = height // 7, width // 7
    middle = numpy.zeros_like(x)
    middle[:, top : height - top, left : width - left] = 1
    return x * middle


def golden_noise(samples, latent):
    h = hash32(NOISE_STREAM, numpy.arange(3 * EXAMPLES * samples * latent)) >> 16
    noise = (2 * h.reshape(-1, 3).sum(axis=1) - 3 * 2**16) / 2**16
    return noise.reshape(EXAMPLES, samples, latent)


def golden_places(size):
    if size <= 16:
        return list(range(size))
    return [((i + 1) * 0x9E3779B1 & 0xFFFFFFFF) % size for i in range(16)]


# Layers on NHWC tensors, with weights in Keras's layouts


def dense(x, weights, bias):
    return x @ weights + bias


def same_padding(small, big, kernel, stride):
    """TensorFlow's: (before, after) on the big side of a strided convolution."""
    total = max((small - 1) * stride + kernel - big, 0)
    return total // 2, total - total // 2


def conv2d(x, weights, bias, strides=(1, 1), padding="valid"):
    """weights [kh, kw, in, out]. PyTorch pads both sides alike: the input is padded beforehand instead."""
    x = x.permute(0, 3, 1, 2)
    if padding == "same":
        pads = [
            same_padding(-(-x.shape[2 + axis] // strides[axis]), x.shape[2 + axis], weights.shape[axis], strides[axis])
            for axis in (0, 1)
        ]
        x = functional.pad(x, (*pads[1], *pads[0]))
    return functional.conv2d(x, weights.permute(3, 2, 0, 1), bias, strides).permute(0, 2, 3, 1)


def conv2d_transpose(x, weights, bias, strides=(1, 1), padding="valid"):
    """weights [kh, kw, out, in]. PyTorch's full output is cropped, or continued by the bias, to Keras's size."""
    sizes, before = [], []
    for axis in (0, 1):
        small, kernel, stride = x.shape[1 + axis], weights.shape[axis], strides[axis]
        if padding == "same":
            sizes.append(small * stride)
            before.append(same_padding(small, small * stride, kernel, stride)[0])
        else:
            sizes.append(small * stride + max(kernel - stride, 0))
            before.append(0)
    full = functional.conv_transpose2d(x.permute(0, 3, 1, 2), weights.permute(3, 2, 0, 1), None, strides)
    missing = [max(before[axis] + sizes[axis] - full.shape[2 + axis], 0) for axis in (0, 1)]
    full = functional.pad(full, (0, missing[1], 0, missing[0]))
    full = full[:, :, before[0] : before[0] + sizes[0], before[1] : before[1] + sizes[1]]
    return full.permute(0, 2, 3, 1) + bias


# The models: shapes of their parameters, encoder (x [n, H, W, C] -> [n, 2d]) and decoder (z [rows, d] -> logits)


class Cvae:
    input, latent, grey = (28, 28, 1), 2, False
    shapes = {
        "encoder/conv2d": [3, 3, 1, 32],
        "encoder/conv2d_1": [3, 3, 32, 64],
        "encoder/dense": [6 * 6 * 64, 4],
        "decoder/dense": [2, 7 * 7 * 32],
        "decoder/conv2d_transpose": [3, 3, 64, 32],
        "decoder/conv2d_transpose_1": [3, 3, 32, 64],
        "decoder/conv2d_transpose_2": [3, 3, 1, 32],
    }

    @staticmethod
    def encoder(x, p):
        x = torch.relu(conv2d(x, *p["encoder/conv2d"], (2, 2)))
        x = torch.relu(conv2d(x, *p["encoder/conv2d_1"], (2, 2)))
        return dense(x.flatten(1), *p["encoder/dense"])

    @staticmethod
    def decoder(z, p):
        y = torch.relu(dense(z, *p["decoder/dense"])).reshape(-1, 7, 7, 32)
        y = torch.relu(conv2d_transpose(y, *p["decoder/conv2d_transpose"], (2, 2), "same"))
        y = torch.relu(conv2d_transpose(y, *p["decoder/conv2d_transpose_1"], (2, 2), "same"))
        return conv2d_transpose(y, *p["decoder/conv2d_transpose_2"], (1, 1), "same")


class Mlp:
    input, latent, grey = (28, 28, 1), 20, True
    shapes = {
        "encoder/dense": [784, 400],
        "encoder/dense_1": [400, 40],
        "decoder/dense": [20, 400],
        "decoder/dense_1": [400, 784],
    }

    @staticmethod
    def encoder(x, p):
        return dense(torch.relu(dense(x.flatten(1), *p["encoder/dense"])), *p["encoder/dense_1"])

    @staticmethod
    def decoder(z, p):
        return dense(torch.relu(dense(z, *p["decoder/dense"])), *p["decoder/dense_1"])


class Iwae:
    input, latent, grey = (28, 28, 1), 50, False
    shapes = {
        "encoder/dense": [784, 200],
        "encoder/dense_1": [200, 200],
        "encoder/dense_2": [200, 100],
        "decoder/dense": [50, 200],
        "decoder/dense_1": [200, 200],
        "decoder/dense_2": [200, 784],
    }

    @staticmethod
    def encoder(x, p):
        h = torch.tanh(dense(x.flatten(1), *p["encoder/dense"]))
        return dense(torch.tanh(dense(h, *p["encoder/dense_1"])), *p["encoder/dense_2"])

    @staticmethod
    def decoder(z, p):
        h = torch.tanh(dense(z, *p["decoder/dense"]))
        return dense(torch.tanh(dense(h, *p["decoder/dense_1"])), *p["decoder/dense_2"])


class Uneven:
    """Strides, kernels and paddings that differ by direction; the spec is in golden.ts."""

    input, latent, grey = (10, 11, 2), 3, True
    shapes = {
        "encoder/conv2d": [3, 5, 2, 5],
        "encoder/conv2d_1": [2, 2, 5, 4],
        "encoder/dense": [4 * 2 * 4, 6],
        "decoder/dense": [3, 5 * 5 * 3],
        "decoder/conv2d_transpose": [1, 3, 4, 3],
        "decoder/conv2d_transpose_1": [4, 3, 3, 4],
        "decoder/conv2d": [2, 3, 3, 2],
    }

    @staticmethod
    def encoder(x, p):
        x = torch.tanh(conv2d(x, *p["encoder/conv2d"], (2, 3), "same"))
        x = torch.relu(conv2d(x, *p["encoder/conv2d_1"], (1, 2)))
        return dense(x.flatten(1), *p["encoder/dense"])

    @staticmethod
    def decoder(z, p):
        y = torch.tanh(dense(z, *p["decoder/dense"])).reshape(-1, 5, 5, 3)
        y = torch.relu(conv2d_transpose(y, *p["decoder/conv2d_transpose"], (2, 2), "valid"))
        y = torch.tanh(conv2d_transpose(y, *p["decoder/conv2d_transpose_1"], (1, 1), "same"))
        return conv2d(y, *p["decoder/conv2d"], (1, 1), "same")


MODELS = {"cvae": Cvae, "mlp": Mlp, "iwae": Iwae, "uneven": Uneven}


# The loss


def bias_size(name, shape):
    """conv2dTranspose's weights are [kh, kw, out, in], all others end in out."""
    return shape[-2] if "transpose" in name else shape[-1]


def parameter_shapes(model):
    """Name and shape of every tensor, in the order of the flat buffer."""
    for name, shape in model.shapes.items():
        yield f"{name}/weights", shape
        yield f"{name}/bias", [bias_size(name, shape)]


def loss_terms(model, tensors, case, dtype):
    """Log-likelihood and KL per example, [n] each, in nats, as functions of `tensors` by name."""
    p = {name: (tensors[f"{name}/weights"], tensors[f"{name}/bias"]) for name in model.shapes}
    x = torch.tensor(golden_data(model.input, model.grey), dtype=dtype)
    noise = torch.tensor(golden_noise(case["samples"], model.latent), dtype=dtype)

    mu, logvar = model.encoder(x, p).split(model.latent, dim=1)
    posterior = Normal(mu[:, None], torch.exp(logvar / 2)[:, None])
    z = posterior.loc + posterior.scale * noise  # [n, K, d]
    logits = model.decoder(z.flatten(0, 1), p).reshape(EXAMPLES, case["samples"], -1)
    pixels = x.flatten(1)[:, None].expand_as(logits)
    cross_entropy = functional.binary_cross_entropy_with_logits(logits, pixels, reduction="none")
    prior = Normal(torch.zeros_like(z), torch.ones_like(z))
    if case["kl"] == "analytic":
        kl = kl_divergence(Normal(mu, torch.exp(logvar / 2)), Normal(torch.zeros_like(mu), torch.ones_like(mu)))
    else:
        kl = (posterior.log_prob(z) - prior.log_prob(z)).mean(1)
    return -cross_entropy.sum(2).mean(1), kl.sum(1)


def evaluate(model, case, dtype):
    """Terms and gradients of the sum of the examples' losses."""
    tensors = {
        name: torch.tensor(golden_parameter(stream, shape, case["gain"]), dtype=dtype, requires_grad=True)
        for stream, (name, shape) in enumerate(parameter_shapes(model))
    }
    log_likelihood, kl = loss_terms(model, tensors, case, dtype)
    (case["beta"] * kl - log_likelihood).sum().backward()
    gradients = {name: tensor.grad.double().numpy() for name, tensor in tensors.items()}
    return log_likelihood.detach().double().tolist(), kl.detach().double().tolist(), gradients


def single(values):
    """Float32 numbers, in as many digits as tell them from their neighbours."""
    return [float(f"{value:.9g}") for value in values]


def run(name, case):
    model = MODELS[name]
    log_likelihood, kl, gradients = evaluate(model, case, torch.float64)
    log_likelihood32, kl32, gradients32 = evaluate(model, case, torch.float32)
    tensors = []
    for tensor, gradient in gradients.items():
        error = gradients32[tensor] - gradient
        places = golden_places(gradient.size)
        tensors.append(
            {
                "name": tensor,
                "shape": list(gradient.shape),
                "sum": math.fsum(gradient.flat),
                "norm": math.sqrt(math.fsum(numpy.square(gradient).flat)),
                "elements": [float(gradient.flat[place]) for place in places],
                "float32": {
                    "elements": single(gradients32[tensor].flat[place] for place in places),
                    "errorNorm": float(f"{numpy.linalg.norm(error):.4g}"),
                    "largestError": float(f"{numpy.abs(error).max():.4g}"),
                },
            }
        )
    return {
        "model": name,
        "grey": model.grey,
        "examples": EXAMPLES,
        "gain": case["gain"],
        "options": {option: case[option] for option in ("samples", "kl", "beta")},
        "logLikelihood": log_likelihood,
        "kl": kl,
        "float32": {"logLikelihood": single(log_likelihood32), "kl": single(kl32)},
        "gradient": tensors,
    }


def cases():
    for kl in ("analytic", "monteCarlo"):
        for samples in (1, 3):
            yield {"samples": samples, "kl": kl, "beta": 1.0, "gain": 1}
    yield {"samples": 3, "kl": "analytic", "beta": 0.5, "gain": 1}
    yield {"samples": 1, "kl": "monteCarlo", "beta": 0.5, "gain": 4}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True, help="the file to write")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    golden = {"torch": torch.__version__.split("+")[0], "cases": [run(name, case) for name in MODELS for case in cases()]}
    with open(arguments.output, "w", encoding="utf-8") as file:
        json.dump(golden, file)


if __name__ == "__main__":
    main()
