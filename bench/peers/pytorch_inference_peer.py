#!/usr/bin/env python3
"""Inference in PyTorch: importance-weighted bounds and annealed importance sampling. Protocol: docs/peers.md."""

import argparse
import math

import torch
from problem import Problem, serve
from pytorch_peer import make_model
from torch.nn import functional

# As in lowerbound's AIS: transitions that tune the step size, leapfrog steps of a transition.
PILOT_BURN_IN = 20
FEWEST_PILOT = 50
LEAPFROG_STEPS = 10
TARGET_ACCEPTANCE = 0.65
PILOT_GAIN = 0.3
# Rows of one pass of the decoder for draws: as many as are fastest here.
DRAWS = 1000


class Inference:
    def __init__(self, problem, compiled):
        self.model = make_model(problem)
        self.latent = problem.latent
        for parameter in self.model.parameters():
            parameter.requires_grad_(False)
        self.inputs, self.x = self.model.inputs(torch.from_numpy(problem.x[0]))
        self.z = torch.from_numpy(problem.noise[0][:, 0].copy())
        self.density = torch.compile(self.log_likelihood, dynamic=False) if compiled else self.log_likelihood

    def log_likelihood(self, z, x):
        """log p(x|z), [rows], nats."""
        return -functional.binary_cross_entropy_with_logits(self.model.decoder(z), x, reduction="none").sum(1)

    def gradient(self, z, x):
        z = z.detach().requires_grad_(True)
        value = self.density(z, x)
        (slope,) = torch.autograd.grad(value.sum(), z)
        return value.detach(), slope

    def compared(self):
        value, slope = self.gradient(self.z, self.x)
        return [-value.mean().item(), slope.square().sum(1).mean().item()]

    @torch.no_grad()
    def importance(self, draws):
        """The mean bound of so many draws an image."""
        mu, logvar = self.model.encoder(self.inputs).split(self.latent, dim=1)
        total = 0.0
        for image in range(len(self.x)):
            x = self.x[image].expand(DRAWS, -1)
            weights = []
            for _ in range(draws // DRAWS):
                noise = torch.randn(DRAWS, self.latent)
                z = mu[image] + torch.exp(logvar[image] / 2) * noise
                ratio = 0.5 * (logvar[image] + noise.square() - z.square()).sum(1)
                weights.append(self.density(z, x) + ratio)
            total += (torch.logsumexp(torch.cat(weights), 0) - math.log(draws)).item()
        return total / len(self.x)

    def transition(self, state, x, beta, step):
        """One HMC transition on p(z) p(x|z)^beta; step sizes [rows, 1]."""
        z, value, slope = state
        jitter = step * (0.8 + 0.4 * torch.rand(len(z), 1))
        momentum = torch.randn_like(z)
        energy = (momentum.square() + z.square()).sum(1) / 2 - beta * value
        moved, new_value, new_slope = z, value, slope
        momentum = momentum + jitter / 2 * (beta * slope - z)
        for leap in range(LEAPFROG_STEPS):
            moved = moved + jitter * momentum
            new_value, new_slope = self.gradient(moved, x)
            share = jitter if leap < LEAPFROG_STEPS - 1 else jitter / 2
            momentum = momentum + share * (beta * new_slope - moved)
        new_energy = (momentum.square() + moved.square()).sum(1) / 2 - beta * new_value
        probability = torch.exp((energy - new_energy).clamp(max=0)).nan_to_num(0)
        accepted = torch.rand(len(z)) < probability
        keep = accepted[:, None]
        state = (
            torch.where(keep, moved, z),
            torch.where(accepted, new_value, value),
            torch.where(keep, new_slope, slope),
        )
        return state, probability

    def annealing(self, chains, temperatures):
        """The mean of log p(x) by AIS, step sizes from a pilot run."""
        images = len(self.x)
        x = self.x.repeat_interleave(chains, 0)
        rows = images * chains

        def start():
            z = torch.randn(rows, self.latent)
            return (z, *self.gradient(z, x))

        def path(count):
            t = torch.linspace(0, 1, count + 1)
            low, high = torch.sigmoid(torch.tensor([-4.0, 4.0]))
            return ((torch.sigmoid(4 * (2 * t - 1)) - low) / (high - low)).tolist()

        step = torch.full((images,), 0.2)
        state = start()
        pilot = max(FEWEST_PILOT, math.ceil(temperatures / 10))
        sizes = []
        for beta in [0.0] * PILOT_BURN_IN + path(pilot)[1:]:
            state, probability = self.transition(state, x, beta, step.repeat_interleave(chains)[:, None])
            error = probability.reshape(images, chains).mean(1) - TARGET_ACCEPTANCE
            step = (step * torch.exp(PILOT_GAIN * error)).clamp(1e-6, 1)
            sizes.append(step)
        sizes = sizes[PILOT_BURN_IN - 1 :]
        state = start()
        betas = path(temperatures)
        weights = torch.zeros(rows)
        for i in range(1, temperatures + 1):
            weights = weights + (betas[i] - betas[i - 1]) * state[1]
            if i < temperatures:
                size = sizes[round(i / temperatures * pilot)].repeat_interleave(chains)[:, None]
                state, _ = self.transition(state, x, betas[i], size)
        estimate = torch.logsumexp(weights.reshape(images, chains), 1) - math.log(chains)
        return estimate.mean().item()

    def step(self, inference):
        if inference["kind"] == "importance":
            return self.importance(inference["draws"])
        return self.annealing(inference["chains"], inference["temperatures"])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problem", required=True, help="directory that lowerbound wrote")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--compile", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.set_num_interop_threads(1)
    problem = Problem(arguments.problem)
    inference = Inference(problem, arguments.compile)

    def run(steps):
        for _ in range(steps):
            value = inference.step(problem.inference)
        return value

    serve(f"PyTorch {torch.__version__}", inference.compared(), run)


if __name__ == "__main__":
    main()
