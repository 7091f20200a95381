#!/usr/bin/env python3
"""Writes diagnostics.json: R-hat, effective sample sizes and the error of the mean of made-up chains, by ArviZ.

    python3 -m venv .venv
    .venv/bin/pip install arviz-stats==0.8.0 numpy==2.4.6 scipy==1.17.1
    .venv/bin/python test/inference/make_diagnostics.py --output test/inference/diagnostics.json
    npx biome check --write test/inference/diagnostics.json

The chains come from a recurrence in integers and float64 sums and products, which diagnostics.test.ts computes
in the same order: no chain needs to be stored. Nothing else is shared with the TypeScript side.
"""

import argparse
import json

import numpy
from arviz_stats.base import array_stats

# name: chains, draws, carry a of x[t] = a x[t-1] + noise, what is added to the last chain, what multiplies it,
# step that values are rounded down to (0: none), power of the noise (1 or 3).
CASES = {
    "independent": (4, 250, 0.0, 0.0, 1.0, 0.0, 1),
    "autocorrelated": (4, 500, 0.9, 0.0, 1.0, 0.0, 1),
    "antithetic": (4, 250, -0.7, 0.0, 1.0, 0.0, 1),
    "one chain elsewhere": (4, 250, 0.3, 0.75, 1.0, 0.0, 1),
    "one chain of another spread": (4, 250, 0.3, 0.0, 3.0, 0.0, 1),
    "an odd number of draws": (3, 101, 0.5, 0.0, 1.0, 0.0, 1),
    "many equal values": (4, 200, 0.6, 0.0, 1.0, 0.25, 1),
    "long tails": (4, 300, 0.4, 0.0, 1.0, 0.0, 3),
    "one chain": (1, 400, 0.5, 0.0, 1.0, 0.0, 1),
    "the fewest draws": (4, 16, 0.5, 0.0, 1.0, 0.0, 1),
    "a drift": (2, 150, 0.999, 0.0, 1.0, 0.0, 1),
}


def chains_of(chains, draws, carry, shift, scale, step, power):
    state = 1
    values = numpy.zeros((chains, draws))
    for chain in range(chains):
        x = 0.0
        last = chain == chains - 1 and chains > 1
        for draw in range(draws):
            state = (1664525 * state + 1013904223) % 2**32
            noise = state / 2**32 - 0.5
            x = carry * x + (noise if power == 1 else noise * noise * noise)
            value = scale * x + shift if last else x
            values[chain, draw] = numpy.floor(value / step) * step if step > 0 else value
    return values


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--output", required=True)
    output = parser.parse_args().output
    cases = []
    for name, (chains, draws, carry, shift, scale, step, power) in CASES.items():
        values = chains_of(chains, draws, carry, shift, scale, step, power)
        axes = {"chain_axis": 0, "draw_axis": 1}
        cases.append(
            {
                "name": name,
                "recipe": {
                    "chains": chains,
                    "draws": draws,
                    "carry": carry,
                    "shift": shift,
                    "scale": scale,
                    "step": step,
                    "power": power,
                },
                # ArviZ gives none for a single chain.
                "rHat": float(array_stats.rhat(values, method="rank", **axes)) if chains > 1 else None,
                "bulkEss": float(array_stats.ess(values, method="bulk", **axes)),
                "tailEss": float(array_stats.ess(values, method="tail", prob=(0.05, 0.95), **axes)),
                "meanError": float(array_stats.mcse(values, method="mean", **axes)),
            }
        )
    with open(output, "w", encoding="utf-8") as file:
        json.dump(cases, file, indent=2)
        file.write("\n")


if __name__ == "__main__":
    main()
