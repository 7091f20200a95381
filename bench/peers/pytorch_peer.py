#!/usr/bin/env python3
"""The training step in PyTorch: eager, compiled, or data-parallel over processes. Set-up and protocol: docs/peers.md."""

import argparse
import itertools
import os
import subprocess
import sys
import time
import uuid

import numpy
import torch
from problem import Problem, serve
from torch import nn
from torch.nn import functional


def linear(weights, bias):
    """weights [in, out] as Keras has them."""
    layer = nn.Linear(*weights.shape)
    assign(layer, weights.T, bias)
    return layer


def assign(layer, weights, bias):
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(numpy.ascontiguousarray(weights)))
        layer.bias.copy_(torch.from_numpy(numpy.ascontiguousarray(bias)))


def convolution(weights, bias, stride):
    """weights [kh, kw, in, out]."""
    kernel, _, inputs, outputs = weights.shape
    layer = nn.Conv2d(inputs, outputs, kernel, stride)
    assign(layer, weights.transpose(3, 2, 0, 1), bias)
    return layer


def mirrored_transposed_convolution(weights, bias, stride):
    """weights [kh, kw, out, in].

    Keras's `same` crops a stride-2 output at its end, PyTorch's padding=1, output_padding=1 at its beginning. In mirror
    images of all maps the one is the other, so the decoder works on mirror images and nothing has to be cropped.
    """
    kernel, _, outputs, inputs = weights.shape
    layer = nn.ConvTranspose2d(inputs, outputs, kernel, stride, padding=1, output_padding=stride - 1)
    assign(layer, weights[::-1, ::-1].transpose(3, 2, 0, 1), bias)
    return layer


def layers_of(parameters, side, make):
    """A layer for each pair of weights and bias of one side, in their order."""
    names = [name.removesuffix("/weights") for name in parameters if name.startswith(side) and name.endswith("weights")]
    return [make(name, parameters[f"{name}/weights"], parameters[f"{name}/bias"]) for name in names]


class Dense(nn.Module):
    """mlp and iwae: dense layers with one activation between them."""

    def __init__(self, parameters, activation):
        super().__init__()

        def side(name):
            layers = layers_of(parameters, name, lambda _, weights, bias: linear(weights, bias))
            between = [module for layer in layers for module in (layer, activation())]
            return nn.Sequential(*between[:-1])

        self.encoder = side("encoder")
        self.decoder = side("decoder")

    @staticmethod
    def inputs(x):
        """x [..., H, W, C] as the encoder reads it, and as the decoder is to give it back."""
        flat = x.flatten(-3)
        return flat, flat


class Cvae(nn.Module):
    """Channels last in memory: eager steps are up to a fifth faster than with NCHW, compiled ones as fast.

    The decoder's maps are mirror images: see mirrored_transposed_convolution.
    """

    def __init__(self, parameters):
        super().__init__()
        p = parameters
        first, second = (
            convolution(p[f"encoder/{name}/weights"], p[f"encoder/{name}/bias"], 2) for name in ("conv2d", "conv2d_1")
        )
        # Rows of the dense weights are [6, 6, 64] in Keras, [64, 6, 6] here.
        posterior = p["encoder/dense/weights"].reshape(6, 6, 64, -1).transpose(2, 0, 1, 3).reshape(64 * 6 * 6, -1)
        self.encoder = nn.Sequential(
            first, nn.ReLU(), second, nn.ReLU(), nn.Flatten(), linear(posterior, p["encoder/dense/bias"])
        )
        weights = p["decoder/dense/weights"].reshape(-1, 7, 7, 32)[:, ::-1, ::-1].transpose(0, 3, 1, 2)
        bias = p["decoder/dense/bias"].reshape(7, 7, 32)[::-1, ::-1].transpose(2, 0, 1)
        transposed = [
            mirrored_transposed_convolution(p[f"decoder/{name}/weights"], p[f"decoder/{name}/bias"], stride)
            for name, stride in (("conv2d_transpose", 2), ("conv2d_transpose_1", 2), ("conv2d_transpose_2", 1))
        ]
        self.decoder = nn.Sequential(
            linear(weights.reshape(len(weights), -1), bias.flatten()),
            nn.ReLU(),
            nn.Unflatten(1, (32, 7, 7)),
            transposed[0],
            nn.ReLU(),
            transposed[1],
            nn.ReLU(),
            transposed[2],
            nn.Flatten(),
        )
        self.to(memory_format=torch.channels_last)

    @staticmethod
    def inputs(x):
        images = x.movedim(-1, -3)  # strided as x is: channels last
        return images, images.flip(-1, -2).flatten(-3)


class Loss(nn.Module):
    """Minus the ELBO of Kingma and Welling (2014), mean over the batch, in nats; the analytic KL."""

    def __init__(self, model, latent):
        super().__init__()
        self.model = model
        self.latent = latent

    def forward(self, x, target, noise):
        mu, logvar = self.model.encoder(x).split(self.latent, dim=1)
        z = mu[:, None] + torch.exp(logvar / 2)[:, None] * noise  # [n, K, d]
        logits = self.model.decoder(z.flatten(0, 1))
        samples = noise.shape[1]
        if samples > 1:
            target = target[:, None].expand(-1, samples, -1).flatten(0, 1)
        cross_entropy = functional.binary_cross_entropy_with_logits(logits, target, reduction="sum") / samples
        kl = 0.5 * torch.sum(mu.square() + logvar.exp() - logvar - 1)
        return (cross_entropy + kl) / len(x)


def make_model(problem):
    if problem.model == "cvae":
        return Cvae(problem.parameters)
    return Dense(problem.parameters, {"mlp": nn.ReLU, "iwae": nn.Tanh}[problem.model])


class Trainer:
    def __init__(self, problem, compiled, rank=0, ranks=1):
        model = make_model(problem)
        self.loss = Loss(model, problem.latent)
        share = slice(rank * problem.batch_size // ranks, (rank + 1) * problem.batch_size // ranks)
        x, target = model.inputs(torch.from_numpy(problem.x[:, share]))
        self.batches = list(zip(x, target.contiguous(), strict=True))
        self.noise = torch.from_numpy(problem.noise[:, share].copy())
        if ranks > 1:
            self.loss = nn.parallel.DistributedDataParallel(self.loss, gradient_as_bucket_view=True)
        if compiled:
            self.loss = torch.compile(self.loss, dynamic=False)
        adam = problem.adam
        # One kernel for all parameters: the fastest of PyTorch's three implementations on these models.
        self.optimizer = torch.optim.Adam(
            self.loss.parameters(),
            lr=adam["learningRate"],
            betas=(adam["beta1"], adam["beta2"]),
            eps=adam["epsilon"],
            fused=True,
        )
        self.places = itertools.cycle(range(len(self.batches)))

    def step(self, noise):
        loss = self.loss(*self.batches[next(self.places)], noise)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def first_losses(self):
        return [self.step(noise).item() for noise in self.noise]

    def run(self, steps):
        shape = self.noise.shape[1:]
        for _ in range(steps):
            loss = self.step(torch.randn(shape))
        return loss.item()


# What rank 0 tells the others in place of a number of steps.
END = 0
ASK_TIME = -1


def lead_processes(problem, arguments):
    """Rank 0: starts the others, tells them how many steps to run."""
    meeting = os.path.join(arguments.problem, f"meeting-{uuid.uuid4()}")
    command = [sys.executable, __file__, "--problem", arguments.problem, "--processes", str(arguments.processes)]
    others = [
        subprocess.Popen([*command, "--rank", str(rank), "--meeting", meeting], stdin=subprocess.DEVNULL)
        for rank in range(1, arguments.processes)
    ]
    trainer = join_processes(problem, arguments, 0, meeting)

    def tell(steps):
        torch.distributed.broadcast(torch.tensor(steps), 0)

    def run(steps):
        tell(steps)
        return trainer.run(steps)

    def processor_time():
        tell(ASK_TIME)
        return sum_over_ranks([time.process_time()])[0]

    version = f"PyTorch {torch.__version__}"
    serve(version, mean_over_ranks(trainer.first_losses()), run, processor_time)
    tell(END)
    for process in others:
        process.wait()


def follow(problem, arguments):
    """The other ranks."""
    trainer = join_processes(problem, arguments, arguments.rank, arguments.meeting)
    mean_over_ranks(trainer.first_losses())
    steps = torch.tensor(0)
    while True:
        torch.distributed.broadcast(steps, 0)
        if steps.item() == END:
            return
        if steps.item() == ASK_TIME:
            sum_over_ranks([time.process_time()])
        else:
            trainer.run(steps.item())


def join_processes(problem, arguments, rank, meeting):
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{meeting}", rank=rank, world_size=arguments.processes
    )
    return Trainer(problem, False, rank, arguments.processes)


def sum_over_ranks(values):
    total = torch.tensor(values, dtype=torch.float64)
    torch.distributed.all_reduce(total)
    return total.tolist()


def mean_over_ranks(losses):
    return [total / torch.distributed.get_world_size() for total in sum_over_ranks(losses)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problem", required=True, help="directory that lowerbound wrote")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--rank", type=int, default=0)
    parser.add_argument("--meeting", help="file over which the processes find each other")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.set_num_interop_threads(1)
    problem = Problem(arguments.problem)
    if arguments.rank > 0:
        follow(problem, arguments)
    elif arguments.processes > 1:
        lead_processes(problem, arguments)
    else:
        trainer = Trainer(problem, arguments.compile)
        serve(f"PyTorch {torch.__version__}", trainer.first_losses(), trainer.run)


if __name__ == "__main__":
    main()
