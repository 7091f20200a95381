#!/usr/bin/env python3
"""The training step in JAX, one jitted function. Set-up and protocol: docs/peers.md."""

import argparse
import itertools
import os

from problem import Problem, serve

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--problem", required=True, help="directory that lowerbound wrote")
parser.add_argument("--threads", type=int, default=1)
arguments = parser.parse_args()
# XLA has a thread for each core it may run on, and looks once.
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: arguments.threads])

import jax  # noqa: E402
from jax import lax  # noqa: E402
from jax import numpy as jnp  # noqa: E402

MAPS = ("NHWC", "HWIO", "NHWC")


def conv2d(x, layer):
    """weights [kh, kw, in, out]; stride 2, TensorFlow's `valid`."""
    weights, bias = layer
    return lax.conv_general_dilated(x, weights, (2, 2), "VALID", dimension_numbers=MAPS) + bias


def conv2d_transpose(x, layer, stride):
    """weights [kh, kw, out, in]; the gradient of a `same` convolution to its input, as Keras has it.

    padTop = floor(max(k - stride, 0) / 2) of the convolution becomes k - 1 - padTop of the dilated input.
    """
    weights, bias = layer
    kernel = weights.shape[0]
    before = kernel - 1 - max(kernel - stride, 0) // 2
    after = x.shape[1] * stride - ((x.shape[1] - 1) * stride + 1) - before + kernel - 1
    flipped = weights[::-1, ::-1].transpose(0, 1, 3, 2)
    padding = [(before, after)] * 2
    return lax.conv_general_dilated(x, flipped, (1, 1), padding, (stride, stride), dimension_numbers=MAPS) + bias


def dense(x, layer):
    weights, bias = layer
    return x @ weights + bias


def cvae_encoder(x, layers):
    for layer in layers[:2]:
        x = jax.nn.relu(conv2d(x, layer))
    return dense(x.reshape(len(x), -1), layers[2])


def cvae_decoder(z, layers):
    y = jax.nn.relu(dense(z, layers[0])).reshape(-1, 7, 7, 32)
    for layer in layers[1:3]:
        y = jax.nn.relu(conv2d_transpose(y, layer, 2))
    y = conv2d_transpose(y, layers[3], 1)
    return y.reshape(len(y), -1)


def perceptron(activation):
    def apply(x, layers):
        x = x.reshape(len(x), -1)
        for layer in layers[:-1]:
            x = activation(dense(x, layer))
        return dense(x, layers[-1])

    return apply


MODELS = {
    "cvae": (cvae_encoder, cvae_decoder),
    "mlp": (perceptron(jax.nn.relu),) * 2,
    "iwae": (perceptron(jnp.tanh),) * 2,
}


def loss_function(model, latent):
    encoder, decoder = MODELS[model]

    def loss(parameters, x, noise):
        mu, logvar = jnp.split(encoder(x, parameters["encoder"]), [latent], axis=1)
        z = mu[:, None] + jnp.exp(logvar / 2)[:, None] * noise  # [n, K, d]
        count, samples, _ = noise.shape
        logits = decoder(z.reshape(count * samples, latent), parameters["decoder"]).reshape(count, samples, -1)
        target = x.reshape(count, 1, -1)
        # log(1 + exp(l)) - x l, in the form that cannot overflow.
        terms = jnp.maximum(logits, 0) - logits * target + jnp.log1p(jnp.exp(-jnp.abs(logits)))
        kl = 0.5 * jnp.sum(mu**2 + jnp.exp(logvar) - logvar - 1)
        return (jnp.sum(terms) / samples + kl) / count

    return loss


class Trainer:
    def __init__(self, problem):
        self.batches = [jnp.asarray(batch) for batch in problem.x]
        self.noise = problem.noise
        self.places = itertools.cycle(range(len(self.batches)))
        sides = {"encoder": [], "decoder": []}
        for name, weights in problem.parameters.items():
            if name.endswith("/weights"):
                bias = problem.parameters[name.removesuffix("weights") + "bias"]
                sides[name.split("/")[0]].append((jnp.asarray(weights), jnp.asarray(bias)))
        zeros = jax.tree.map(jnp.zeros_like, sides)
        self.state = (sides, zeros, jax.tree.map(jnp.zeros_like, sides), jnp.float32(0))
        self.key = jax.random.key(0)
        gradient = jax.value_and_grad(loss_function(problem.model, problem.latent))
        shape = self.noise.shape[1:]
        adam = problem.adam

        def given_step(state, x, noise):
            parameters, m, v, t = state
            value, g = gradient(parameters, x, noise)
            return value, adam_update(adam, parameters, g, m, v, t + 1)

        def random_step(state, x, key):
            key, used = jax.random.split(key)
            value, state = given_step(state, x, jax.random.normal(used, shape))
            return value, state, key

        self.given_step = jax.jit(given_step)
        self.random_step = jax.jit(random_step, donate_argnums=(0, 2))

    def first_losses(self):
        losses = []
        for noise in self.noise:
            loss, self.state = self.given_step(self.state, self.batches[next(self.places)], noise)
            losses.append(loss.item())
        return losses

    def run(self, steps):
        for _ in range(steps):
            x = self.batches[next(self.places)]
            loss, self.state, self.key = self.random_step(self.state, x, self.key)
        jax.block_until_ready(self.state)
        return loss.item()


def adam_update(adam, parameters, g, m, v, t):
    """Kingma and Ba (2015), algorithm 1; t from 1."""
    beta1, beta2 = adam["beta1"], adam["beta2"]
    m = jax.tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, m, g)
    v = jax.tree.map(lambda v, g: beta2 * v + (1 - beta2) * g * g, v, g)
    step_size = adam["learningRate"] / (1 - beta1**t)
    root_correction = 1 / jnp.sqrt(1 - beta2**t)

    def move(p, m, v):
        return p - step_size * m / (jnp.sqrt(v) * root_correction + adam["epsilon"])

    return jax.tree.map(move, parameters, m, v), m, v, t


trainer = Trainer(Problem(arguments.problem))
serve(f"JAX {jax.__version__}", trainer.first_losses(), trainer.run)
