// The projections as pictures: efficiency over the number of hosts, a panel a model, a line a link.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { presetNames } from '#src/model/presets.js';
import { type ChartPanel, type ChartSeries, lineChart } from '#src/report/picture.js';
import { microseconds, type Projection, type Scaling } from './projection.js';

/** Writes a picture for each kind of scaling; returns their paths. */
export async function writeScalingPictures(
  projections: readonly Projection[],
  threads: number,
  folder: string,
): Promise<string[]> {
  mkdirSync(folder, { recursive: true });
  const paths: string[] = [];
  for (const scaling of ['weak', 'strong'] as const) {
    const shown = projections.filter((projection) => projection.scaling === scaling);
    if (shown.length === 0) continue;
    const path = join(folder, `scaling-${scaling}.png`);
    writeFileSync(path, await picture(shown, scaling, threads));
    paths.push(path);
  }
  return paths;
}

function picture(shown: readonly Projection[], scaling: Scaling, threads: number): Promise<Uint8Array> {
  const { batch, hosts } = shown[0]!;
  const images = batch.shards * batch.shardSize;
  const what = scaling === 'weak' ? `${images / hosts} images a host` : `${images} images in all`;
  const models = presetNames.filter((model) => shown.some((projection) => projection.model === model));
  const counts = [...new Set([1, ...shown.map((projection) => projection.hosts)])].sort((a, b) => a - b);
  return lineChart(
    models.map((model) => panel(model, shown)),
    {
      title: `Efficiency against one host: ${what} in a step (${scaling} scaling)`,
      note: `A projection by a model, not a measurement; hosts with ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
      xLabel: 'hosts',
      xTicks: { values: counts.map(Math.log2), texts: counts.map(String) },
    },
  );
}

function panel(model: string, shown: readonly Projection[]): ChartPanel {
  const own = shown.filter((projection) => projection.model === model);
  const links = [...new Set(own.map(({ link }) => link))];
  const series = links.map((link): ChartSeries => {
    const points = own
      .filter((projection) => projection.link === link)
      .sort((a, b) => a.hosts - b.hosts)
      .map(({ hosts, efficiency }) => [Math.log2(hosts), 100 * efficiency] as const);
    // Against itself, one host has all of its speed.
    const isFromOne = points[0]?.[0] === 0;
    const label = `${link.bandwidth / 1e9} Gbit/s, ${microseconds(link)} µs`;
    return { label, points: isFromOne ? points : [[0, 100], ...points] };
  });
  return { yLabel: `${model}, %`, yRange: [0, 100], series };
}
