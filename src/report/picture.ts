// Numbers to PNGs that a person looks at. What they are of, and where they are kept, is the caller's affair.
export { type DotRow, type DotRowsOptions, dotRows } from './dotRows.js';
export { type InterpolationGridOptions, interpolationGrid } from './interpolationGrid.js';
export { type ChartPanel, type ChartSeries, type LineChartOptions, lineChart } from './lineChart.js';
export { type ManifoldGridOptions, manifoldGrid } from './manifoldGrid.js';
export { type ManifoldStripOptions, manifoldStrip } from './manifoldStrip.js';
export type { PageText } from './page.js';
export { type PosteriorPanel, posteriorPanels } from './posteriorPanels.js';
export {
  type CaptionLine,
  type ReconstructionGridOptions,
  reconstructionGrid,
} from './reconstructionGrid.js';
export { sampleGrid } from './sampleGrid.js';
export { type ScatterChartOptions, scatterChart } from './scatterChart.js';
export type { ImageShape } from './tiles.js';
